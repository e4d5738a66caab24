package msg

// CanonicalData returns rdata in the form in which it is signed and ordered: the names in it in
// lower case, for the types that RFC 4034 section 6.2 lists, but for NSEC (RFC 6840 section 5.1).
func (r RR) CanonicalData() string {
	l, ok := layouts[r.Type]
	if !ok || !l.unpack && r.Type != TypeRRSIG {
		return r.Data
	}
	at, ok := l.start([]byte(r.Data))
	if !ok {
		return r.Data
	}
	end := at
	for range l.names {
		n, next := nameAt(r.Data, end)
		if n == "" {
			break
		}
		end = next
	}
	names := Name(r.Data[at:end])
	if folded := names.Fold(); folded != names {
		return r.Data[:at] + string(folded) + r.Data[end:]
	}
	return r.Data
}
