package script

import "testing"

// A setting that weir does not have is no matter where it says what weir does, and
// makes the script skipped where it says something else.
func TestSettingsThatWouldBeSeen(t *testing.T) {
	for name := range visibleSettings {
		s, err := newSettings("linux")
		if err != nil {
			t.Fatal(err)
		}
		if _, known := s.tcp.Sysctl(name); known {
			continue // it has an effect by now
		}
		v := visibleSettings[name]
		for _, value := range v.values {
			if err := s.set(name, value, false); err != nil {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		}
		for _, value := range []string{"-7", "nonsense", ""} {
			if err := s.set(name, value, false); err == nil {
				t.Errorf("%s=%s is no matter", name, value)
			}
		}
	}
	for _, c := range []struct{ name, value, skipped string }{
		{"net.ipv4.tcp_reflect_tos", "0", ""},
		{"net.ipv4.tcp_reflect_tos", "1", "needs the setting net.ipv4.tcp_reflect_tos=1"},
		{"net.ipv4.tcp_max_orphans", "65536", ""},
		{"net.ipv4.tcp_max_orphans", "0", "needs the setting net.ipv4.tcp_max_orphans=0"},
		{"net.ipv4.conf.all.rp_filter", "0", ""},
		{"net.ipv4.conf.tun0.forwarding", "1", "needs the setting net.ipv4.conf.tun0.forwarding=1"},
		{"net.ipv6.conf.tun0.mtu", "1280", "needs the setting net.ipv6.conf.tun0.mtu=1280"},
		{"net.ipv6.conf.all.hop_limit", "9", ""},
		{"net.inet.tcp.rfc3042", "0", "needs the setting net.inet.tcp.rfc3042=0"},
		{"net.inet.ip.ttl", "3", "needs the setting net.inet.ip.ttl=3"},
		{"net.inet.ip.random_id", "1", ""},
	} {
		src := "0 `sysctl -w " + c.name + "=" + c.value + "`\n"
		if c.skipped == "" {
			mustPass(t, src, Options{})
		} else {
			mustSkip(t, src, c.skipped)
		}
	}
}
