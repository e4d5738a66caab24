package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/cmd/weir/internal/control"
	"github.com/weirnet/weir/cmd/weir/internal/table"
	"github.com/weirnet/weir/stack"
)

// askFlags are the flags of the commands that ask a running weir.
type askFlags struct {
	json    bool
	control string
}

func (f *askFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	cmd.Flags().StringVar(&f.control, "control", "", "the control socket at `PATH`, where several weirs run")
}

// ask sends a request to the running weir.
func (f *askFlags) ask(ctx context.Context, op string, arg any) (raw json.RawMessage, err error) {
	path := f.control
	if path == "" {
		if path, err = control.Find(); err != nil {
			return nil, err
		}
	}
	return control.Call(ctx, path, op, arg)
}

// printJSON prints an answer for people and programs.
func printJSON(w io.Writer, raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}

// ssFlags are the flags of weir ss.
type ssFlags struct {
	askFlags
	states        []string
	local, remote string
	kill          bool
}

func newSS() *cobra.Command {
	f := &ssFlags{}
	cmd := &cobra.Command{
		Use:   "ss",
		Short: "List the connections of a running weir up",
		Long: `Lists the listeners, connections and sockets of a running weir up.

RECV-Q is what waits for the application to read, SEND-Q what the peer has not
acknowledged; of a listener, the connections that wait and how many may. CWND and
SSTHRESH are in octets.

--state, --local and --remote choose among them; an end is ADDR, :PORT or ADDR:PORT. With
--kill the TCP connections chosen are aborted: their peers get a reset, and records in
TIME-WAIT are forgotten.`,
		Example: "  weir ss\n  weir ss --json\n  weir ss --state close-wait --local :7\n" +
			"  weir ss --kill --remote 192.0.2.1\n  weir ss --control /run/weir/weir0.1234.sock",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	f.register(cmd)
	fs := cmd.Flags()
	fs.StringSliceVar(&f.states, "state", nil, "only connections in `STATE`, as in established or time-wait; several with commas")
	fs.StringVar(&f.local, "local", "", "only those with this own `END`")
	fs.StringVar(&f.remote, "remote", "", "only those with this `END` of the peer's")
	fs.BoolVar(&f.kill, "kill", false, "abort them")
	return cmd
}

// connStates are the states that a listing may show.
var connStates = []string{
	"LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
	"CONNECTED", "UNCONNECTED",
}

func (f *ssFlags) run(ctx context.Context, out io.Writer) error {
	for _, s := range f.states {
		if !slices.ContainsFunc(connStates, func(known string) bool { return strings.EqualFold(known, s) }) {
			return fmt.Errorf("--state %s: must be one of %s", s, strings.ToLower(strings.Join(connStates, ", ")))
		}
	}
	if f.kill && len(f.states) == 0 && f.local == "" && f.remote == "" {
		return fmt.Errorf("--kill needs --state, --local or --remote to say which connections")
	}
	raw, err := f.ask(ctx, "connections", nil)
	if err != nil {
		return err
	}
	var conns []stack.ConnInfo
	if err := json.Unmarshal(raw, &conns); err != nil {
		return fmt.Errorf("the running weir is of another version: %w", err)
	}
	if conns, err = f.choose(conns); err != nil {
		return err
	}
	switch {
	case f.kill:
		return f.abort(ctx, out, conns)
	case f.json:
		if raw, err = json.Marshal(notNil(conns)); err != nil {
			return err
		}
		return printJSON(out, raw)
	}
	_, err = connTable(conns).WriteTo(out)
	return err
}

// choose returns the connections that the flags name.
func (f *ssFlags) choose(conns []stack.ConnInfo) (list []stack.ConnInfo, err error) {
	local, err := parseEnd("--local", f.local)
	if err != nil {
		return nil, err
	}
	remote, err := parseEnd("--remote", f.remote)
	if err != nil {
		return nil, err
	}
	for _, c := range conns {
		if f.inState(c.State) && local(c.Local) && remote(c.Remote) {
			list = append(list, c)
		}
	}
	return list, nil
}

func (f *ssFlags) inState(state string) bool {
	return len(f.states) == 0 || slices.ContainsFunc(f.states, func(s string) bool { return strings.EqualFold(s, state) })
}

// parseEnd reads ADDR, :PORT or ADDR:PORT and returns what tells whether an end is that.
func parseEnd(flag, s string) (func(netip.AddrPort) bool, error) {
	if s == "" {
		return func(netip.AddrPort) bool { return true }, nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return func(e netip.AddrPort) bool { return e.Addr() == a }, nil
	}
	if port, ok := strings.CutPrefix(s, ":"); ok {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			return func(e netip.AddrPort) bool { return e.IsValid() && e.Port() == uint16(n) }, nil
		}
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return nil, fmt.Errorf("%s %s: must be ADDR, :PORT or ADDR:PORT, as in 192.0.2.1:7 or [2001:db8::1]:7", flag, s)
	}
	return func(e netip.AddrPort) bool { return e == ap }, nil
}

// abort has the running weir abort connections, and says how many.
func (f *ssFlags) abort(ctx context.Context, out io.Writer, conns []stack.ConnInfo) error {
	list := []ends{}
	for _, c := range conns {
		if c.Protocol == "tcp" && c.Remote.IsValid() {
			list = append(list, ends{c.Local, c.Remote})
		}
	}
	raw, err := f.ask(ctx, "abort", list)
	if err != nil {
		return err
	}
	var n int
	if err := json.Unmarshal(raw, &n); err != nil {
		return fmt.Errorf("the running weir is of another version: %w", err)
	}
	_, err = fmt.Fprintf(out, "%d aborted\n", n)
	return err
}

// connTable lays connections out as a table.
func connTable(conns []stack.ConnInfo) *table.Table {
	var t table.Table
	t.Column("PROTO", table.Left)
	t.Column("STATE", table.Left)
	t.Column("RECV-Q", table.Right)
	t.Column("SEND-Q", table.Right)
	t.Column("LOCAL", table.Left)
	t.Column("PEER", table.Left)
	t.Column("CWND", table.Right)
	t.Column("SSTHRESH", table.Right)
	t.Column("SRTT", table.Right)
	t.Column("RTO", table.Right)
	t.Column("RETRANS", table.Right)
	for _, c := range conns {
		t.Row(append([]string{c.Protocol, c.State, strconv.Itoa(c.RecvQ), strconv.Itoa(c.SendQ), c.Local.String(), peerText(c.Remote)}, flowText(c)...)...)
	}
	return &t
}

// flowText returns what only a connection has, where it is one.
func flowText(c stack.ConnInfo) []string {
	if c.MSS == 0 && c.Cwnd == 0 {
		return nil
	}
	return []string{
		strconv.Itoa(c.Cwnd),
		threshold(c.SSThresh),
		brief(c.SRTT),
		brief(c.RTO),
		strconv.FormatUint(c.Retransmits, 10),
	}
}

// threshold writes a slow-start threshold: it begins "arbitrarily high" (RFC 5681 §3.1).
func threshold(n int) string {
	if n <= 0 || n >= 1<<30 {
		return "-"
	}
	return strconv.Itoa(n)
}

func peerText(a netip.AddrPort) string {
	if !a.IsValid() {
		return "*"
	}
	return a.String()
}

// brief writes a time with three digits.
func brief(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}
