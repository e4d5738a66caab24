// Package event gives TCP connections to handlers that run inside the stack's receive path, for
// servers with very many connections or very little time.
package event
