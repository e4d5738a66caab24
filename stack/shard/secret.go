package shard

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// randomSecret asks the kernel for a secret. Package crypto/rand would do the same after linking
// some 200 kB of generators and their self-tests, of which nothing here is used.
func randomSecret() (secret [32]byte) {
	for n := 0; n < len(secret); {
		k, err := unix.Getrandom(secret[n:], 0) // waits until the kernel has collected enough
		if err != nil && err != unix.EINTR {
			// No Linux since 3.17 does so. Without a secret, sequence numbers could be guessed.
			panic(fmt.Sprintf("shard: the kernel gives no random octets: %v", err))
		}
		n += max(k, 0)
	}
	return secret
}
