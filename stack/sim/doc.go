// Package sim runs whole networks of stacks in virtual time, from one seed.
//
// A Network is hosts, which are the real driver and protocols (package shard) without
// goroutines, and wires between them, each direction an impair.Model. Run finds the
// earliest thing that is due, a packet's arrival or a host's timer, moves the one
// clock there and lets it happen. Nothing else happens in between, so an hour of
// waiting costs nothing, and nothing depends on the machine: the same seed gives the
// same packets at the same times, and a failing run replays exactly.
//
// # The way of a packet
//
//	host → port.WriteFrames → impair.Model.Push … Pop → Host.Deliver at the other end
//
// Applications are shard.Handlers: they run inside Run, on its goroutine. Stream is one
// that sends and checks pseudo-random octets.
//
// A host's loopback interface needs a goroutine and therefore carries nothing here.
package sim
