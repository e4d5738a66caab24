// Package discard is the Discard Protocol (RFC 863): what arrives is thrown away,
// and nothing is ever sent.
package discard
