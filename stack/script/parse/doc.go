// Package parse reads packet scripts: packetdrill's language, in Google's dialect and in
// that of nplab's fork (FreeBSD's), with one grammar for both.
//
//	script  = { option } { event }
//	option  = --name [ = value ]
//	event   = time ( packet | call | `command` | %{ code }% )    a first or last command may lack the time
//	time    = 1.5 | +1.5 | 1~2 | +1~+2 | *
//	packet  = ( < | > ) { layer } [ (ip) ] [ 1000 > 80 ] ( tcp | udp | icmp | sctp )
//	tcp     = flags start:end(len) [ ack n ] [ win n ] [ urg n ] [ <options> ]
//	call    = [ ...end ] name ( arguments ) = result [ ERRNO ] [ (note) ]
//
// Line ends mean nothing but the end of a // comment. A # that begins a line is a comment
// too, unless it is nplab's #ifdef system … #endif. An event begins where the one before is
// complete, and every event begins with a time or a backquote, so nothing is ambiguous but
// this: after a result no + or * is an operator, for it begins the next event. Numbers with
// leading zeros are decimal, as both packetdrills read them.
//
// The lexer gives the parser one token at a time. Three things are read as runs of
// characters where the grammar expects them, for they look like other tokens elsewhere:
// TCP flags (P5. is no number), addresses, and hexadecimal cookies.
//
// What the dialects can say and weir cannot do is read all the same, so that the runner can
// skip the script and say why. A file that breaks the language gives an *Error with the
// place, what was expected there and what was found. Files are bounded in size, nesting and
// length of expressions, so that no input exhausts the stack.
package parse
