package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
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
func (f *askFlags) ask(ctx context.Context, op string) (raw json.RawMessage, err error) {
	path := f.control
	if path == "" {
		if path, err = control.Find(); err != nil {
			return nil, err
		}
	}
	return control.Call(ctx, path, op)
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

func newSS() *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use:   "ss",
		Short: "List the connections of a running weir up",
		Long: `Lists the listeners, connections and sockets of a running weir up.

RECV-Q is what waits for the application to read, SEND-Q what the peer has not
acknowledged; of a listener, the connections that wait and how many may. CWND and
SSTHRESH are in octets.`,
		Example: "  weir ss\n  weir ss --json\n  weir ss --control /run/weir/weir0.1234.sock",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, err := f.ask(cmd.Context(), "connections")
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			var conns []stack.ConnInfo
			if err := json.Unmarshal(raw, &conns); err != nil {
				return fmt.Errorf("the running weir is of another version: %w", err)
			}
			_, err = connTable(conns).WriteTo(cmd.OutOrStdout())
			return err
		},
	}
	f.register(cmd)
	return cmd
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
