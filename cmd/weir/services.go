package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirnet/weir/apps/chargen"
	"github.com/weirnet/weir/apps/daytime"
	"github.com/weirnet/weir/apps/discard"
	"github.com/weirnet/weir/apps/echo"
	"github.com/weirnet/weir/apps/serve"
)

// services are what --serve can name, in the order of their ports.
var services = []serve.Service{echo.Service(), discard.Service(), daytime.Service(), chargen.Service()}

const defaultServices = "echo,discard,daytime,chargen"

// parseServices reads a list of services, or none. That of names is apart: it has flags of its own.
func parseServices(list string) (found []serve.Service, names bool, err error) {
	if list == "none" || list == "" {
		return nil, false, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "dns" {
			names = true
			continue
		}
		named := func(s serve.Service) bool { return s.Name == name }
		i := slices.IndexFunc(services, named)
		if i < 0 {
			return nil, false, fmt.Errorf("--serve %s: there is no service %q; there are %s, dns, or none", list, name, strings.ReplaceAll(defaultServices, ",", ", "))
		}
		if !slices.ContainsFunc(found, named) {
			found = append(found, services[i])
		}
	}
	return found, names, nil
}
