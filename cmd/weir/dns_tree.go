package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/apps/dns/tree"
)

func newDNSTree() *cobra.Command {
	var signed bool
	cmd := &cobra.Command{
		Use:   "tree [flags] DIR",
		Short: "Write the demonstration tree as zone files, for any name server",
		Long: `Writes the zones of the demonstration tree into a directory: a master file for each, root.hints with the names and
addresses of the root's servers and, with --signed, root.key with the trust anchor. weir dns serve --tree serves the same.`,
		Example: "  weir dns tree zones\n  weir dns tree --signed zones && weir dns check zones/weir.example.zone",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("tree needs one DIR to write to")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := tree.New(tree.Options{Signed: signed})
			if err != nil {
				return err
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			if err := t.Write(args[0]); err != nil {
				return err
			}
			for _, z := range t.Zones {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: zone %v, %d records\n", filepath.Join(args[0], tree.FileName(z.Origin)), z.Origin, len(z.Records))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&signed, "signed", false, "sign the zones")
	return cmd
}
