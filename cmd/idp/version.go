package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"
)

// linkedVersion is empty unless the linker sets it, as make build does:
// go build -ldflags "-X main.linkedVersion=v1.2.3".
var linkedVersion string //nolint:gochecknoglobals // the linker can set nothing else

type versionCommand struct{}

// Run prints the version of this binary.
func (versionCommand) Run(p *process) error {
	_, err := fmt.Fprintln(p.stdout, "idp", currentVersion())
	return err
}

// currentVersion is the version of this binary.
func currentVersion() string {
	info, _ := debug.ReadBuildInfo()
	return cmp.Or(linkedVersion, versionOf(info), "unknown")
}

// versionOf reads the version from a binary's build information: the commit and
// its time when it was built in a checkout, the module's version when it was
// installed from the module proxy. It is empty when neither is known.
func versionOf(info *debug.BuildInfo) string {
	if info == nil {
		return ""
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	revision := settings["vcs.revision"]
	if revision == "" {
		return strings.TrimPrefix(info.Main.Version, "(devel)")
	}
	version := revision[:min(len(revision), 12)]
	if settings["vcs.modified"] == "true" {
		version += "-dirty"
	}
	if committed := settings["vcs.time"]; committed != "" {
		version += " (" + committed + ")"
	}
	return version
}
