// Package netflag is the flags that describe a network: devices, each with the
// addresses written after it, and routes.
//
// The order of the flags counts. --tun begins a device, and --addr, --host-addr,
// --mtu, --offload and --queues after it belong to that device:
//
//	--tun weir0 --addr 192.0.2.2/24 --tun weir1 --addr 198.51.100.2/24
//
// With one device, or none named, the order does not matter. With several, --mtu,
// --offload and --queues before the first hold for all that do not say
// otherwise; an address before the first belongs to nobody and is an error.
package netflag
