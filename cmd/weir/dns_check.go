package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/apps/dns/msg"

	"github.com/weirnet/weir/apps/dns/zone"
)

func newDNSCheck() *cobra.Command {
	var origin string
	var quiet, strict bool
	cmd := &cobra.Command{
		Use:   "check [flags] ZONEFILE",
		Short: "Say what is wrong with a zone's master file",
		Long: `Reads a master file as a server does and lists what is wrong with it, an error or a warning a line, with its
file and line. The exit status is 1 where there is an error: no server should load the zone.

The zone's name is taken from --origin, or from the file's own: example.org.zone, db.example.org or example.org.`,
		Example: "  weir dns check example.org.zone\n  weir dns check --origin example.org /etc/zones/primary\n  weir dns check --strict example.org.zone",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("check needs one ZONEFILE, as in weir dns check example.org.zone")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return checkZone(cmd.OutOrStdout(), args[0], origin, quiet, strict)
		},
	}
	cmd.Flags().StringVar(&origin, "origin", "", "the zone's `NAME`")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print errors only")
	cmd.Flags().BoolVar(&strict, "strict", false, "take warnings for errors")
	return cmd
}

// checkZone prints the problems of a zone, and a line that says how many there are.
func checkZone(out io.Writer, path, name string, quiet, strict bool) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if name == "" {
		name = originOf(path)
	}
	origin, err := msg.ParseName(name)
	if err != nil {
		return fmt.Errorf("%w; say the zone's name with --origin", err)
	}
	problems, z := zone.CheckFile(path, origin, zone.ReadOptions{}, time.Now())
	bad, warnings := 0, 0
	for _, p := range problems {
		if p.Error || strict {
			bad++
		} else {
			warnings++
		}
		if p.Error || strict || !quiet {
			fmt.Fprintln(out, p)
		}
	}
	if bad > 0 || z == nil {
		return fmt.Errorf("%s: zone %v has %s", path, origin, plural(max(bad, 1), "error", "errors"))
	}
	if !quiet {
		fmt.Fprintf(out, "zone %v: serial %d, %d names, %s\n", origin, z.Serial(), z.Names(), plural(warnings, "warning", "warnings"))
	}
	return nil
}

// originOf guesses a zone's name by that of its file.
func originOf(path string) string {
	name := filepath.Base(path)
	name = strings.TrimPrefix(name, "db.")
	for _, end := range []string{".zone", ".db", ".txt", ".signed"} {
		name = strings.TrimSuffix(name, end)
	}
	if name == "root" {
		return "."
	}
	return name
}
