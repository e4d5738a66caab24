package main_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirnet/weir/stack"
)

// A page that is small and one of many segments.
const page = "weir says hello\n"

func largePage() []byte {
	b := make([]byte, 16<<20)
	io.ReadFull(noise(int64(len(b)), 9), b)
	return b
}

// pages serves both pages, and at /sum the SHA-256 of what is sent there.
func pages(large []byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/small", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, page) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { w.Write(large) })
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%x", sum.Sum(nil))
	})
	return mux
}

// serveHTTP serves the pages on a listener until closeHTTP.
func serveHTTP(ln net.Listener, large []byte) *http.Server {
	srv := &http.Server{Handler: pages(large)}
	go srv.Serve(ln)
	return srv
}

// TestCurlFetchesFromAnHTTPServerOnWeir serves with net/http on a weir stack.
func TestCurlFetchesFromAnHTTPServerOnWeir(t *testing.T) {
	large := largePage()
	sum := sha256.Sum256(large)
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			n := newLocal(t, m, stack.Config{TCP: hasty()})
			srv := serveHTTP(n.listen("[::]:8080"), large)
			for _, f := range families {
				url := "http://" + net.JoinHostPort(f.weir, "8080")
				// Twice, over one connection.
				if got := n.ok("", "curl", "-sS", "--fail", "--max-time", "60", "-g", url+"/small", url+"/small"); got != page+page {
					t.Errorf("curl %s/small says %q", url, got)
				}
				got := n.ok("", "curl", "-sS", "--fail", "--max-time", "60", "-g", url+"/large")
				if sha256.Sum256([]byte(got)) != sum {
					t.Errorf("curl %s/large: %d octets that are not those of the server", url, len(got))
				}
				got = n.ok(string(large), "curl", "-sS", "--fail", "--max-time", "60", "-g", "-T", "-", url+"/sum")
				if got != hex.EncodeToString(sum[:]) {
					t.Errorf("curl -T to %s/sum: the server got other octets: %q", url, got)
				}
			}
			srv.Close()
			n.close()
		})
	}
}

// TestHTTPClientOnWeirFetchesFromTheKernel fetches with net/http over a weir stack, from a Go server
// on the kernel's sockets and from nginx.
func TestHTTPClientOnWeirFetchesFromTheKernel(t *testing.T) {
	large := largePage()
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			n := newLocal(t, m, stack.Config{TCP: hasty()})
			go1 := serveHTTP(n.lab.listen(":8080"), large)
			stop := n.nginx(large)
			for _, f := range families {
				for _, port := range []string{"8080", "8081"} {
					fetch(t, n, "http://"+net.JoinHostPort(f.host, port), large)
				}
			}
			go1.Close()
			stop()
			n.close()
		})
	}
}

// fetch fetches both pages, the large one four times at once.
func fetch(t *testing.T, n *local, url string, large []byte) {
	t.Helper()
	tr := &http.Transport{DialContext: n.DialContext}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr, Timeout: 2 * patience}
	get := func(path string) ([]byte, error) {
		resp, err := client.Get(url + path)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s", resp.Status)
		}
		return io.ReadAll(resp.Body)
	}
	if got, err := get("/small"); string(got) != page || err != nil {
		t.Errorf("GET %s/small: %q, %v", url, got, err)
	}
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() {
			got, err := get("/large")
			if err == nil && !bytes.Equal(got, large) {
				err = fmt.Errorf("%d octets that are not those of the server", len(got))
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Errorf("GET %s/large: %v", url, err)
		}
	}
}

// nginx serves the two pages at port 8081 of the kernel until stop is called.
func (n *local) nginx(large []byte) (stop func()) {
	n.t.Helper()
	dir := shortTempDir(n.t)
	must(n.t, os.Chmod(dir, 0o755))
	must(n.t, os.WriteFile(filepath.Join(dir, "small"), []byte(page), 0o644))
	must(n.t, os.WriteFile(filepath.Join(dir, "large"), large, 0o644))
	conf := strings.ReplaceAll(`
daemon off;
master_process off;
pid DIR/pid;
error_log DIR/error.log;
events {}
http {
	access_log off;
	client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3; uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
	server { listen 8081; listen [::]:8081; root DIR; }
}
`, "DIR", dir)
	must(n.t, os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644))
	cmd := command(program(n.t, "nginx"), "-c", filepath.Join(dir, "conf"), "-e", filepath.Join(dir, "error.log"))
	n.start(cmd)
	eventually(n.t, "nginx listens", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c, err := n.dial(ctx, "tcp", "127.0.0.1:8081")
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return func() { cmd.Process.Kill(); cmd.Wait() }
}
