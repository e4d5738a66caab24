package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/cmd/weir/internal/table"
)

func newStats() *cobra.Command {
	var f askFlags
	var nonZero bool
	cmd := &cobra.Command{
		Use:   "stats [PREFIX...]",
		Short: "Print the counters of a running weir up",
		Long: `Prints the counters of a running weir up: all, or those whose names begin with one
of the prefixes. A name says protocol, event and reason, as in tcp.drop.checksum; what
begins with "held." is what is held at the moment.`,
		Example: "  weir stats\n  weir stats tcp. ip.drop\n  weir stats --nonzero\n  weir stats --json",
		RunE: func(cmd *cobra.Command, prefixes []string) error {
			raw, err := f.ask(cmd.Context(), "stats", nil)
			if err != nil {
				return err
			}
			var counters map[string]uint64
			if err := json.Unmarshal(raw, &counters); err != nil {
				return fmt.Errorf("the running weir is of another version: %w", err)
			}
			maps.DeleteFunc(counters, func(name string, _ uint64) bool { return !hasPrefix(name, prefixes) })
			if len(counters) == 0 {
				return fmt.Errorf("no counter has a name that begins with %s; weir stats lists them all", strings.Join(prefixes, " or "))
			}
			maps.DeleteFunc(counters, func(_ string, v uint64) bool { return nonZero && v == 0 })
			if f.json {
				if raw, err = json.Marshal(counters); err != nil {
					return err
				}
				return printJSON(cmd.OutOrStdout(), raw)
			}
			_, err = counterTable(counters).WriteTo(cmd.OutOrStdout())
			return err
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&nonZero, "nonzero", false, "leave out what is zero")
	return cmd
}

func hasPrefix(name string, prefixes []string) bool {
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// counterTable lays counters out as a table, sorted by name.
func counterTable(counters map[string]uint64) *table.Table {
	var t table.Table
	t.Column("COUNTER", table.Left)
	t.Column("VALUE", table.Right)
	for _, name := range slices.Sorted(maps.Keys(counters)) {
		t.Row(name, strconv.FormatUint(counters[name], 10))
	}
	return &t
}
