package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newDNSReload() *cobra.Command {
	f := &askFlags{}
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have a running server read its zones again",
		Long: `Asks a running weir dns serve, by its control socket, to read its zones' files again, and the file of --config where
it has one, as SIGHUP does, and waits until it has. A zone that cannot be read is served as before, and told with its file,
its line and what is wrong there; of a file of --config either all is served or nothing. One that has changed and kept its
serial number is served, and told too, for its secondaries keep what they have. In both cases the status is 1.`,
		Example: "  weir dns reload\n  weir dns reload --control /run/weir/names",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, err := f.ask(cmd.Context(), "dns.reload", nil)
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			return printSaid(cmd.OutOrStdout(), raw)
		},
	}
	f.register(cmd)
	return cmd
}

// printSaid prints a sentence of the running weir as a line.
func printSaid(w io.Writer, raw json.RawMessage) error {
	var said string
	if err := json.Unmarshal(raw, &said); err != nil {
		return fmt.Errorf("the running weir is of another version: %w", err)
	}
	_, err := fmt.Fprintln(w, said)
	return err
}
