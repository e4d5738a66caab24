// Package dnstest is what the tests of several packages below apps/dns need: programs of the system, NSD among them, and certificates.
package dnstest
