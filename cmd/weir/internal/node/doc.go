// Package node puts a stack on its devices: it opens them, gives the stack its
// addresses and routes and the host its side, and takes all of it down again.
//
// The order is that of a cable: first the stack listens, then the host's side is
// set up, so that nothing the host says on a new link is lost; and when it ends, the
// stack goes first and the devices, which hold the host's addresses and routes,
// after it.
package node
