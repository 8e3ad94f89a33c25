package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimcheck/aimcheck/internal/config"
	"github.com/aimcheck/aimcheck/internal/sandbox"
)

func (e *env) sandboxCommand() *cobra.Command {
	var tenant, addr, faults string
	var users int
	var seed uint64
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "serve imitations of both vendors' APIs on this machine, to try things out",
		Long: "Sandbox serves imitations of both vendors' APIs on this machine until it is interrupted, and prints the lines that point aimcheck,\n" +
			"and the vendors' own tools, at them. The people in it are invented.",
		Example: "  aimcheck sandbox --addr 127.0.0.1:8080 >sandbox.env &\n  . ./sandbox.env\n  aimcheck audit",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := e.tenant(tenant, users, seed)
			if err != nil {
				return err
			}
			o, err := faultOptions(faults)
			if err != nil {
				return err
			}
			o.Now = e.now
			s, err := sandbox.New(t, o)
			if err != nil {
				return err
			}
			l, err := listen(addr)
			if err != nil {
				return err
			}
			return e.serve(cmd.Context(), s, l, format)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&tenant, "tenant", "", "serve the tenant in `FILE` instead of the demo's")
	f.IntVar(&users, "users", 0, "serve a generated tenant of `N` users on each side")
	f.Uint64Var(&seed, "seed", 1, "what the generated tenant is made from: the same number, the same tenant")
	f.StringVar(&addr, "addr", "127.0.0.1:0", "`HOST:PORT` to serve on, of this machine alone; port 0: any free one")
	f.StringVar(&faults, "faults", "", "answer wrongly as `FILE` says: {\"wrong\": [\"dpop\"], \"faults\": [{\"method\": \"PATCH\", \"probability\": 0.2, \"status\": 503, \"after\": true}]}")
	format.flag(cmd)
	return cmd
}

// faultOptions returns the options that a file of faults asks for, if one is named.
func faultOptions(file string) (sandbox.Options, error) {
	if file == "" {
		return sandbox.Options{}, nil
	}
	f, err := openFile(file)
	if err != nil {
		return sandbox.Options{}, err
	}
	defer f.Close()
	return sandbox.ReadFaults(f, file)
}

// tenant returns the tenant to serve: from a file, generated, or the demo's.
func (e *env) tenant(file string, users int, seed uint64) (*sandbox.Tenant, error) {
	switch {
	case file != "" && users != 0:
		return nil, usagef("--tenant and --users: give one, a tenant is read or generated")
	case users < 0:
		return nil, usagef("--users %d: expected a number above 0", users)
	case users > 0:
		return sandbox.Generate(seed, users), nil
	case file == "":
		return sandbox.Demo(), nil
	}
	f, err := openFile(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return sandbox.ReadTenant(f, file)
}

// listen opens a port of this machine: imitations are for nobody else.
func listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, usagef("--addr %q: expected a host of this machine and a port, such as 127.0.0.1:8080", addr)
	}
	if !config.IsLoopback(host) {
		return nil, usagef("--addr %q is not of this machine alone: expected one such as 127.0.0.1:8080", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot serve on %s: %w: choose another port, or 0 for any free one", addr, err)
	}
	return l, nil
}

// serve prints how to reach s and serves it until ctx is done.
func (e *env) serve(ctx context.Context, s *sandbox.Sandbox, l net.Listener, format outputFormat) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()

	url := "http://" + l.Addr().String()
	if err := e.tellEnv(s.Env(url), url, format); err != nil {
		return fileError("write to", "standard output", err)
	}
	fmt.Fprintf(e.stderr, "aimcheck: serving on http://%s until Ctrl-C\n", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	for _, r := range s.Refused() {
		fmt.Fprintf(e.stderr, "aimcheck: refused %s %s: %s\n", r.Method, r.Path, r.Why)
	}
	return nil
}

// tellEnv prints the variables that point the tools at the sandbox.
func (e *env) tellEnv(variables []string, url string, format outputFormat) error {
	vars := map[string]string{}
	var b strings.Builder
	for _, line := range variables {
		name, value, _ := strings.Cut(line, "=")
		vars[name] = value
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
	}
	if format.json() {
		return printJSON(e.stdout, map[string]any{"url": url, "env": vars})
	}
	_, err := io.WriteString(e.stdout, b.String())
	return err
}
