package tree

import (
	"fmt"
	"strings"
)

// weirExample is the zone with everything in it.
func (b *builder) weirExample() {
	b.begin("weir.example.", "ns1.weir.example.", "ns1.weir.example.", "ns2.weir.example.")
	b.host("ns1.weir.example.", weir1)
	b.host("ns2.weir.example.", weir2)
	b.host("weir.example.", web)
	b.host("www.weir.example.", web)
	b.host("mail.weir.example.", mail)
	b.host("host.new.weir.example.", hostNew)
	b.host("*.wild.weir.example.", wild)
	b.delegate("lab.weir.example.", "ns.lab.weir.example.")
	b.glue("ns.lab.weir.example.", lab)
	for _, r := range []struct{ name, typ, data string }{
		{"weir.example.", "MX", "10 mail.weir.example."},
		{"weir.example.", "MX", "20 web.shop.example."},
		{"weir.example.", "TXT", `"v=spf1 mx -all"`},
		{"weir.example.", "TXT", `"a text of " "two strings"`},
		{"weir.example.", "CAA", `0 issue "ca.example"`},
		{"www.weir.example.", "HTTPS", "1 . alpn=h2 port=443"},
		{"ftp.weir.example.", "CNAME", "www.weir.example."},
		{"blog.weir.example.", "CNAME", "pages.host.test."},
		{"loop.weir.example.", "CNAME", "pool.weir.example."},
		{"pool.weir.example.", "CNAME", "loop.weir.example."},
		{"*.wild.weir.example.", "TXT", `"any name below wild"`},
		{"old.weir.example.", "DNAME", "new.weir.example."},
		{"below.empty.weir.example.", "TXT", `"empty has no records of its own"`},
		{"_http._tcp.weir.example.", "SRV", "0 5 80 www.weir.example."},
		{"_http._tcp.weir.example.", "SRV", "10 0 8080 web.shop.example."},
		{"_dns.weir.example.", "SVCB", "1 ns1.weir.example. alpn=dot port=853"},
		{"_443._tcp.www.weir.example.", "TLSA", "3 1 1 " + strings.Repeat("0123456789abcdef", 4)},
		{"www.weir.example.", "SSHFP", "4 2 " + strings.Repeat("fedcba9876543210", 4)},
		{"weir.example.", "NAPTR", `100 10 "u" "E2U+sip" "!^.*$!sip:info@weir.example!" .`},
		{"weir.example.", "URI", `10 1 "https://www.weir.example/"`},
		{"www.weir.example.", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"},
		{"www.weir.example.", "HINFO", `"weir" "Linux"`},
		{"weir.example.", "RP", "hostmaster.weir.example. weir.example."},
		{"www.weir.example.", "TYPE65280", `\# 4 c0000280`}, // RFC 3597
	} {
		b.rr(r.name, b.ttl, r.typ, r.data)
	}
	for i := range 20 { // some 4 kB
		b.rr("big.weir.example.", b.ttl, "TXT", fmt.Sprintf(`"%02d %s"`, i, strings.Repeat("too large for a datagram ", 8)))
	}
}

// others are the zones that the first leads to.
func (b *builder) others() {
	b.begin("lab.weir.example.", "ns.lab.weir.example.", "ns.lab.weir.example.")
	b.host("ns.lab.weir.example.", lab)
	b.host("bench.lab.weir.example.", labHost)

	b.begin("shop.example.", "ns.host.test.", "ns.host.test.")
	b.host("web.shop.example.", shop)
	b.rr("shop.example.", b.ttl, "MX", "10 mail.weir.example.")

	b.begin("host.test.", "ns.host.test.", "ns.host.test.")
	b.host("ns.host.test.", hostTest)
	b.host("host.test.", pages)
	b.rr("pages.host.test.", b.ttl, "CNAME", "web.shop.example.")
}
