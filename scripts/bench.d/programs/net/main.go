// Command net is an echo server on the kernel, by package net.
package main

import (
	"io"
	"log"
	"net"
)

func main() {
	l, err := net.Listen("tcp", ":7")
	if err != nil {
		log.Fatal(err)
	}
	u, err := net.ListenPacket("udp", ":7")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		p := make([]byte, 65535)
		for {
			n, from, err := u.ReadFrom(p)
			if err != nil {
				log.Fatal(err)
			}
			u.WriteTo(p[:n], from)
		}
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}
