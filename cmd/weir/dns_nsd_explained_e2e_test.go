package main_test

import (
	"slices"

	"github.com/weirnet/weir/apps/dns/msg"
)

// explained are the kinds of difference between weir's answers and NSD's that stay, and why. settle takes such a difference out
// of the two answers, where there is one.
var explained = []struct {
	name, why string
	settle    func(q ask, w, n *msg.Message)
}{
	{
		"ANY", "either server picks sets of its own for ANY over UDP; weir gives one over TCP too (RFC 8482 section 4.1)",
		func(q ask, w, n *msg.Message) {
			if q.typ == msg.TypeANY && oneSet(w.Answer) && len(n.Answer) > 0 {
				clearSections(w, n)
				n.Truncated = w.Truncated
			}
		},
	},
	{
		"RRSIG", "weir answers with the signatures of one set, NSD with all that the name has: as ANY (RFC 8482 section 7)",
		func(q ask, w, n *msg.Message) {
			if q.typ == msg.TypeRRSIG && oneSet(w.Answer) && len(n.Answer) > 0 {
				clearSections(w, n)
				n.Truncated = w.Truncated
			}
		},
	},
	{
		"types that are none", "OPT (RFC 6895 section 3.1) and NXNAME (RFC 9824 section 3.5) cannot be asked for: FORMERR, where NSD says that there is no such data",
		func(q ask, w, n *msg.Message) {
			if (q.typ == msg.TypeOPT || q.typ == msg.TypeNXNAME) && w.Rcode == msg.RcodeFormatError {
				clearSections(w, n)
				w.Rcode, w.Authoritative, n.Truncated = n.Rcode, n.Authoritative, w.Truncated
			}
		},
	},
	{
		"NSEC3 of an alias", "weir follows a CNAME for this type as for any other (RFC 1034 section 4.3.2), NSD answers that the alias has none",
		func(q ask, w, n *msg.Message) {
			if q.typ == msg.TypeNSEC3 && hasType(w.Answer, msg.TypeCNAME) && !hasType(n.Answer, msg.TypeCNAME) {
				clearSections(w, n)
				w.Rcode, w.Truncated = n.Rcode, n.Truncated
			}
		},
	},
	{
		"below a hash", "the owner of an NSEC3 record is no name of the zone (RFC 5155 section 7.2.8), so that nothing has it for its closest encloser; for NSD it is one",
		func(q ask, w, n *msg.Message) {
			for at := q.name; at.Labels() > 2; at = at.Parent() {
				if hashed(at, at.Suffix(2).String()) && hasType(w.Authority, msg.TypeNSEC3) {
					dropTypes(msg.TypeNSEC3, w, n)
				}
			}
		},
	},
	{
		"wildcard by name", "asked for a wildcard's own name, NSD proves that no closer name is there, too; the record that matches it is enough (RFC 5155 section 7.2.3)",
		func(q ask, w, n *msg.Message) {
			if q.name.IsWildcard() && len(w.Answer) == 0 && hasType(w.Authority, msg.TypeNSEC3) && len(n.Authority) > 0 {
				for _, rr := range w.Authority {
					if i := slices.IndexFunc(n.Authority, func(o msg.RR) bool { return fact(o) == fact(rr) }); i < 0 && !n.Truncated {
						return
					}
				}
				w.Authority, n.Authority, n.Truncated = nil, nil, false
			}
		},
	},
	{
		"addresses that are no glue", "those of servers outside of the delegation may go silently (RFC 2181 section 9); NSD marks a referral without them",
		func(q ask, w, n *msg.Message) {
			if q.size == 512 && n.Truncated && !w.Truncated && !w.Authoritative && hasType(w.Authority, msg.TypeNS) {
				w.Additional, n.Additional, n.Truncated = nil, nil, false
			}
		},
	},
	{
		"DS of an opted-out name", "a name above delegations that have opted out has no NSEC3 record: with its closest encloser, the span of the next closer name is proven (RFC 5155 section 7.2.4), which NSD leaves out",
		func(q ask, w, n *msg.Message) {
			if q.typ == msg.TypeDS && q.name.First() == "ent4" && len(w.Authority) == len(n.Authority)+2 {
				dropTypes(msg.TypeNSEC3, w, n)
			}
		},
	},
	{
		"questions about the server", "version and host name: each says its own, weir with AA, and REFUSED for a host name that it has not been told (RFC 4892)",
		func(q ask, w, n *msg.Message) {
			if q.class == msg.ClassCHAOS && q.typ == msg.TypeTXT && len(n.Answer) == 1 {
				told := len(w.Answer) == 1 && w.Rcode == msg.RcodeSuccess && w.Authoritative
				if silent := len(w.Answer) == 0 && w.Rcode == msg.RcodeRefused; told || silent {
					clearSections(w, n)
					w.Rcode, w.Authoritative, w.EDNS, n.EDNS = n.Rcode, n.Authoritative, nil, nil
				}
			}
		},
	},
	{
		"question of another class", "NSD's answer to a question of a class that it has nothing of is without the question; of a name that neither has weir says so (EDE 20)",
		func(q ask, w, n *msg.Message) {
			if (q.class == msg.ClassHESIOD || q.class == msg.ClassNONE) && w.Rcode == msg.RcodeRefused && len(n.Question) == 0 {
				n.Question = w.Question
				if e := w.EDE(); len(e) == 1 && e[0].Code == msg.EDENotAuthoritative {
					n.EDNS = w.EDNS
				}
			}
		},
	},
	{
		"class ANY", "weir has zones of class IN, and refuses a question for every class; NSD takes ANY for IN, which RFC 1035 section 3.2.5 does not rule out",
		func(q ask, w, n *msg.Message) {
			if q.class == msg.ClassANY && w.Rcode == msg.RcodeRefused && n.Rcode != msg.RcodeRefused {
				clearSections(w, n)
				w.Header, n.EDNS = n.Header, w.EDNS
			}
		},
	},
	{
		"truncated", "what is left of a truncated answer nobody uses (RFC 2181 section 9)",
		func(q ask, w, n *msg.Message) {
			if w.Truncated && n.Truncated {
				clearSections(w, n)
			}
		},
	},
	{
		"glue that does not fit", "a referral without all of the glue within the delegation is truncated (RFC 9471), which this NSD does not know yet",
		func(q ask, w, n *msg.Message) {
			if q.size <= 512 && w.Truncated && !n.Truncated && !w.Authoritative && len(w.Answer) == 0 && len(w.Additional) > 0 {
				w.Truncated = false
				w.Additional, n.Additional = nil, nil
			}
		},
	},
	{
		"NS of the zone", "NSD adds the zone's NS set, and its servers' addresses, to positive answers; weir does not (RFC 1034 section 6.2 has it as a habit, no section asks for it)",
		func(q ask, w, n *msg.Message) {
			if len(w.Authority) > 0 && w.Authority[0].Type == msg.TypeNS || len(n.Answer) == 0 {
				return
			}
			servers := map[msg.Name]bool{}
			n.Authority = slices.DeleteFunc(n.Authority, func(rr msg.RR) bool {
				if rr.Type == msg.TypeNS {
					servers[rr.Target().Fold()] = true
				}
				return covers(rr, msg.TypeNS)
			})
			n.Additional = slices.DeleteFunc(n.Additional, func(rr msg.RR) bool {
				return servers[rr.Name.Fold()] && !slices.ContainsFunc(w.Additional, func(o msg.RR) bool { return o.Name.Equal(rr.Name) })
			})
		},
	},
	{
		"addresses from a wildcard", "NSD makes addresses for the additional section from wildcards; weir adds what is there (RFC 1034 section 4.3.2 step 6 leaves it free)",
		func(q ask, w, n *msg.Message) {
			n.Additional = slices.DeleteFunc(n.Additional, func(rr msg.RR) bool {
				return rr.Name.Fold().First() == "any" && rr.Name.Parent().First() == "wild"
			})
		},
	},
	{
		"room for addresses", "without the NS set there is room for addresses in the additional section, where NSD has filled the message",
		func(q ask, w, n *msg.Message) {
			if q.size == 512 && len(n.Additional) < len(w.Additional) {
				w.Additional, n.Additional = nil, nil
			}
		},
	},
	{
		"proof behind a DNAME", "of the name that a DNAME leads to, weir proves that it is not there (RFC 4035 section 3.1.3); NSD proves it of another or of none",
		func(q ask, w, n *msg.Message) {
			if hasType(w.Answer, msg.TypeDNAME) {
				dropTypes(msg.TypeNSEC, w, n)
				dropTypes(msg.TypeNSEC3, w, n)
			}
		},
	},
	{
		"targets of HTTPS", "weir adds the addresses of the target of SVCB and HTTPS (RFC 9460 section 4.1: should), NSD does not",
		func(q ask, w, n *msg.Message) {
			if slices.ContainsFunc(w.Answer, func(rr msg.RR) bool { return rr.Type == msg.TypeHTTPS || rr.Type == msg.TypeSVCB }) {
				w.Additional = slices.DeleteFunc(w.Additional, func(rr msg.RR) bool {
					return !slices.ContainsFunc(n.Additional, func(o msg.RR) bool { return o.Name.Equal(rr.Name) })
				})
			}
		},
	},
}

func hasType(rrs []msg.RR, t msg.Type) bool {
	return slices.ContainsFunc(rrs, func(rr msg.RR) bool { return rr.Type == t })
}

// dropTypes takes the sets of a type out of the authority section.
func dropTypes(t msg.Type, list ...*msg.Message) {
	for _, m := range list {
		m.Authority = slices.DeleteFunc(m.Authority, func(rr msg.RR) bool { return covers(rr, t) })
	}
}

// oneSet reports whether records, but for signatures, are one set.
func oneSet(rrs []msg.RR) bool {
	for _, rr := range rrs {
		if !covers(rr, rrs[0].Type) && rrs[0].Type != msg.TypeRRSIG {
			return false
		}
	}
	return len(rrs) > 0
}

// covers reports whether a record is of the type, or the signature of such.
func covers(rr msg.RR, t msg.Type) bool {
	sig, ok := rr.RRSIG()
	return rr.Type == t || ok && sig.Covered == t
}

func clearSections(list ...*msg.Message) {
	for _, m := range list {
		m.Answer, m.Authority, m.Additional = nil, nil, nil
	}
}
