package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// built is the version that the Makefile has the linker set; blank in other builds.
var built string

// version returns the program's version, as the Makefile or the Go toolchain stamped it.
func version() string {
	if built != "" {
		return built
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func (e *env) versionCommand() *cobra.Command {
	var format outputFormat
	cmd := &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if format.json() {
				return printed(printJSON(e.stdout, map[string]string{"version": version(), "go": runtime.Version()}))
			}
			_, err := io.WriteString(e.stdout, versionLine())
			return printed(err)
		},
	}
	format.flag(cmd)
	return cmd
}

func versionLine() string {
	return fmt.Sprintf("aimcheck %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func (e *env) completionCommand(root *cobra.Command) *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:       "completion bash|zsh|fish",
		Short:     "print the completion script of a shell",
		Example:   "  source <(aimcheck completion bash)",
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("expected one shell: bash, zsh or fish")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return printed(root.GenBashCompletionV2(e.stdout, true))
			case "zsh":
				return printed(root.GenZshCompletion(e.stdout))
			case "fish":
				return printed(root.GenFishCompletion(e.stdout, true))
			}
			return usageError(unknownWord("shell", args[0], shells))
		},
	}
}

// An outputFormat is what --output says about stdout: text or json.
type outputFormat string

func (f *outputFormat) flag(cmd *cobra.Command) {
	*f = "text"
	cmd.Flags().VarP(f, "output", "", "what to print: text or json")
}

// String implements [pflag.Value].
func (f *outputFormat) String() string { return string(*f) }

// Set implements [pflag.Value].
func (f *outputFormat) Set(text string) error {
	if text != "text" && text != "json" {
		return fmt.Errorf("expected text or json")
	}
	*f = outputFormat(text)
	return nil
}

// Type implements [pflag.Value].
func (f *outputFormat) Type() string { return "text|json" }

func (f outputFormat) json() bool { return f == "json" }

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
