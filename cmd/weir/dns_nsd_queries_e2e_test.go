package main_test

import (
	"strings"

	"github.com/weirnet/weir/apps/dns/msg"
)

// comparedTypes are the types that every name is asked for.
var comparedTypes = []msg.Type{
	msg.TypeA, msg.TypeNS, msg.TypeCNAME, msg.TypeSOA, msg.TypePTR, msg.TypeMX, msg.TypeTXT, msg.TypeAAAA, msg.TypeSRV, msg.TypeNAPTR,
	msg.TypeDNAME, msg.TypeDS, msg.TypeNSEC, msg.TypeDNSKEY, msg.TypeNSEC3PARAM, msg.TypeTLSA, msg.TypeCAA, msg.TypeHTTPS, msg.TypeSVCB,
	msg.TypeLOC, msg.TypeSSHFP, msg.TypeURI, 65280,
}

// fewTypes are those that names beside the zone's are asked for.
var fewTypes = []msg.Type{msg.TypeA, msg.TypeTXT, msg.TypeDS, msg.TypeCNAME, msg.TypeNS}

// forms are the ways to ask over UDP.
var forms = []ask{{}, {size: 512, do: true}, {size: 1232}, {size: 1232, do: true}, {size: 4096, do: true, rd: true}}

// comparedQueries makes the queries from the names in the zones.
func comparedQueries(names map[string][]msg.Name) (queries []ask) {
	add := func(form ask, n msg.Name, t msg.Type) {
		form.name, form.typ = n, t
		if form.class == 0 {
			form.class = msg.ClassINET
		}
		queries = append(queries, form)
	}
	for _, c := range comparedZones {
		for i, n := range names[c.origin] {
			if strings.HasPrefix(n.First(), "host-") && n.First() != "host-1" || hashed(n, c.origin) && i%8 != 0 {
				continue // one name of many that are alike
			}
			for k, t := range comparedTypes {
				add(forms[3], n, t)
				add(forms[1+(i+k)%2], n, t)
			}
			add(ask{size: 1232, do: true, tcp: true}, n, comparedTypes[i%len(comparedTypes)])
			add(ask{size: 1232, do: true, tcp: true}, n, msg.TypeA)
			for _, near := range beside(n, msg.MustName(c.origin)) {
				for k, t := range fewTypes {
					if k == 0 || (i+k)%2 == 0 {
						add(forms[3], near, t)
					}
				}
				if i%4 == 0 {
					add(forms[2], near, msg.TypeA)
				}
			}
			for _, t := range []msg.Type{msg.TypeANY, msg.TypeRRSIG, msg.TypeNSEC3, msg.TypeOPT, msg.TypeHINFO, msg.TypeCDS, msg.TypeRP, msg.TypeNXNAME, 65279} {
				add(forms[3], n, t)
			}
			add(ask{tcp: true}, n, msg.TypeANY)
			add(ask{tcp: true}, n, msg.TypeTXT)
			for _, f := range forms {
				add(f, mixed(n), msg.TypeA)
				add(f, n, msg.TypeTXT)
				add(f, n, msg.TypeMX)
			}
		}
	}
	for _, f := range forms {
		for _, n := range []string{".", "example.", "com.", "www.example.com.", "xplain.example.", "plain.examplE.", "weir.test."} {
			for _, t := range append(fewTypes, msg.TypeSOA, msg.TypeANY) {
				add(f, msg.MustName(n), t)
			}
		}
		for _, class := range []msg.Class{msg.ClassCHAOS, msg.ClassHESIOD, msg.ClassNONE, msg.ClassANY} {
			f.class = class
			for _, n := range []string{"www.plain.example.", "nothing.plain.example.", "version.bind.", "id.server.", "hostname.bind.", "version.server.", "example.com."} {
				add(f, msg.MustName(n), msg.TypeTXT)
				add(f, msg.MustName(n), msg.TypeA)
			}
		}
	}
	return queries
}

// beside are names below, before and after a name, above it, and of wildcards.
func beside(n, origin msg.Name) (list []msg.Name) {
	for _, label := range []string{"x", "x.y", "*", "\x00", "\xff", "a"} {
		if below, err := n.Child(label); err == nil {
			list = append(list, below)
			if label == "x" {
				if below, err = below.Child("deep"); err == nil {
					list = append(list, below)
				}
			}
		}
	}
	if n.Equal(origin) {
		return list
	}
	if first := n.First(); len(first) < 60 {
		for _, label := range []string{first + "\x00", first + "z", first[:len(first)-1] + string(first[len(first)-1]-1) + "~"} {
			if sibling, err := n.Parent().Child(label); err == nil {
				list = append(list, sibling)
			}
		}
	}
	return append(list, n.Parent())
}

// mixed is the name with every other octet in capitals.
func mixed(n msg.Name) msg.Name {
	b := []byte(n)
	for i := range b {
		if i%2 == 0 && b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return msg.Name(b)
}

// hashed reports whether the name is the owner of an NSEC3 record.
func hashed(n msg.Name, origin string) bool {
	return len(n.First()) == 32 && n.Parent().Equal(msg.MustName(origin)) && !strings.Contains(n.First(), "-")
}
