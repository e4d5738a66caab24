package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weirnet/weir/apps/dns/cache"
)

func newDNSCache() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache dump|flush|stats",
		Short: "Look into the cache of a running resolver, or empty it",
		Long:  `Asks a running weir dns serve, by its control socket, about the cache of its resolver.`,
		Example: "  weir dns cache stats\n  weir dns cache dump\n  weir dns cache dump example.org\n" +
			"  weir dns cache flush example.org     # the name and all below it\n  weir dns cache flush                 # everything",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("cache %s: it is dump, flush or stats", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, sub := range []struct {
		op, use, short string
		print          func(io.Writer, json.RawMessage) error
	}{
		{"dump", "dump [ZONE]", "Print what the cache has, as records", printText},
		{"flush", "flush [NAME]", "Drop a name and all below it, or everything", printFlushed},
		{"stats", "stats", "Print how full the cache is, and how often it had the answer", printCacheStats},
	} {
		f := &askFlags{}
		c := &cobra.Command{
			Use: sub.use, Short: sub.short,
			Args: func(_ *cobra.Command, args []string) error {
				if len(args) > 1 || sub.op == "stats" && len(args) > 0 {
					return errors.New("too many arguments: weir dns cache " + sub.use)
				}
				return nil
			},
			RunE: func(cmd *cobra.Command, args []string) error {
				var req cacheRequest
				if len(args) > 0 {
					req.Name = args[0]
				}
				raw, err := f.ask(cmd.Context(), "dns.cache."+sub.op, req)
				if err != nil {
					return err
				}
				if f.json {
					return printJSON(cmd.OutOrStdout(), raw)
				}
				return sub.print(cmd.OutOrStdout(), raw)
			},
		}
		f.register(c)
		cmd.AddCommand(c)
	}
	return cmd
}

func printText(w io.Writer, raw json.RawMessage) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("the running weir is of another version: %w", err)
	}
	_, err := io.WriteString(w, text)
	return err
}

func printFlushed(w io.Writer, raw json.RawMessage) error {
	var n int
	if err := json.Unmarshal(raw, &n); err != nil {
		return fmt.Errorf("the running weir is of another version: %w", err)
	}
	_, err := fmt.Fprintln(w, plural(n, "entry", "entries"), "dropped")
	return err
}

func printCacheStats(w io.Writer, raw json.RawMessage) error {
	var s cache.Stats
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("the running weir is of another version: %w", err)
	}
	_, err := io.WriteString(w, statsText(s))
	return err
}

// statsText lays the counts out.
func statsText(s cache.Stats) string {
	asked := s.Hits + s.Misses
	ratio := 0.0
	if asked > 0 {
		ratio = 100 * float64(s.Hits) / float64(asked)
	}
	return fmt.Sprintf("entries   %d, and %d spans of denials\nmemory    %.1f MiB\nlooked up %d times, found %.1f %%; %d whole answers; %d denials from spans\n"+
		"kept      %d; not kept %d; evicted %d; flushed %d\n",
		s.Entries, s.Spans, float64(s.Octets)/(1<<20), asked, ratio, s.Answers, s.Denied, s.Inserted, s.Outranked+s.Unfit, s.Evicted, s.Flushed)
}
