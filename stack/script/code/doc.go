// Package code reads and runs the blocks of assertions in packet scripts, %{ … }%.
//
// packetdrill hands such blocks to Python. Scripts use a small corner of it: assert over the
// fields of tcp_info, arithmetic, a variable or two. That corner is what this package knows,
// and nothing is executed but by it:
//
//	assert cond [, message]     name = value     name += value (and the other operators)
//	print … (ignored)           pass             if … : elif … : else :
//
// with Python's expressions: or, and, not, chained comparisons, in, is, | ^ & << >> + - * /
// // % **, a if c else b, parentheses, tuples and lists, strings and their % formatting,
// and the functions abs, bool, float, int, len, max, min, round and str. Integers do not
// overflow, / is a division of reals, and names live from block to block: Eval keeps
// assignments in the map that it is given.
//
// Whatever else Python has gives an *Error that names the construct, so that a runner can
// skip the script with that reason. A name without a value is an error of its own kind for
// the same purpose: the script asks for something that the stack does not report.
//
// A block terminates: there are no loops, and numbers, strings and nesting are bounded.
package code
