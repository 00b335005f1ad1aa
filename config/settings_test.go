package config_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/internal/secret"
)

var update = flag.Bool("update", false, "rewrite docs/settings.md") //nolint:gochecknoglobals // a test flag

// settingPaths returns the paths of all settings of a struct, as Settings names them.
func settingPaths(t reflect.Type, path string) []string {
	switch {
	case t == reflect.TypeFor[secret.Value]() || t.PkgPath() == "net/netip":
		return []string{path}
	case t.Kind() == reflect.Pointer:
		return settingPaths(t.Elem(), path)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && t.Elem().PkgPath() != "net/netip":
		return settingPaths(t.Elem(), path+"[]")
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var out []string
	for field := range t.Fields() {
		if tag, ok := field.Tag.Lookup("yaml"); ok {
			out = append(out, settingPaths(field.Type, strings.TrimPrefix(path+"."+tag, "."))...)
		}
	}
	return out
}

func TestSettingsAreComplete(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range config.Settings() {
		names = append(names, s.Name)
		require.NotEmpty(t, s.Default, s.Name)
		require.Regexp(t, `^[\x60A-Z].*\.$`, s.Meaning, "%s: a sentence", s.Name)
	}
	require.ElementsMatch(t, settingPaths(reflect.TypeFor[config.Config](), ""), names)
}

// TestSettingsHaveTheirDefaults compares every default that is a value with that of a
// file which leaves the setting out.
func TestSettingsHaveTheirDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := parse(t, good+"    profile: liveengage\n")
	require.NoError(t, err)
	plain, err := parse(t, good)
	require.NoError(t, err)
	compared := 0
	for _, s := range config.Settings() {
		value := regexp.MustCompile("^`([^`]*)`$").FindStringSubmatch(s.Default)
		if value == nil || s.Name == "clients[].name" || strings.HasPrefix(s.Name, "clients[].id_token_encryption") ||
			strings.HasPrefix(s.Name, "clients[].liveengage.page") {
			continue
		}
		from := reflect.ValueOf(*plain)
		if strings.HasPrefix(s.Name, "clients[].liveengage") {
			from = reflect.ValueOf(*cfg)
		}
		require.Equal(t, value[1], valueAt(from, s.Name), s.Name)
		compared++
	}
	require.Greater(t, compared, 30)
}

// valueAt formats the value at a path as it would be in the file.
func valueAt(v reflect.Value, path string) string {
	name, rest, nested := strings.Cut(path, ".")
	key, isList := strings.CutSuffix(name, "[]")
	for field, value := range v.Fields() {
		if field.Tag.Get("yaml") != key {
			continue
		}
		if isList {
			value = value.Index(0)
		}
		if value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		if nested {
			return valueAt(value, rest)
		}
		if duration, ok := value.Interface().(time.Duration); ok {
			return regexp.MustCompile("(h)0m0s$|(m)0s$").ReplaceAllString(duration.String(), "$1$2")
		}
		return fmt.Sprint(value.Interface())
	}
	panic("no setting " + path)
}

// TestSettingsPage compares docs/settings.md with the settings; -update rewrites it.
func TestSettingsPage(t *testing.T) {
	t.Parallel()
	const name = "../docs/settings.md"
	page := settingsPage()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(page), 0o644))
	}
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, page, string(text), "run: go test ./config -update")
}

// settingsPage is docs/settings.md. What depends on a setting comes from Settings.
func settingsPage() string {
	var b strings.Builder
	b.WriteString(`<!-- Generated from config/settings.go. Run: go test ./config -update -->

# Settings

idp reads its settings from one YAML file. ` + "`idp init`" + ` writes one with comments, and ` + "`idp config check`" + ` checks it. Reading is strict: an unknown key, a wrong type or an unsafe value is an error, and nothing starts until it is fixed. Paths in the file are relative to its directory.

Durations are numbers with units, such as ` + "`90s`, `15m` or `1h30m`" + `. A setting that accepts ` + "`{env: NAME}` and `{file: PATH}`" + ` can come from an environment variable or from a file instead, so that the configuration file has no secrets.

## Server

`)
	groups := map[string][]config.Setting{}
	for _, s := range config.Settings() {
		group := "server"
		if name, ok := strings.CutPrefix(s.Name, "clients[]."); ok {
			group, s.Name = "client", name
		}
		if name, ok := strings.CutPrefix(s.Name, "liveengage."); ok {
			group, s.Name = "liveengage", name
		}
		groups[group] = append(groups[group], s)
	}
	writeTable(&b, groups["server"])
	b.WriteString("\n## Clients\n\nThe setting `clients` is a list with at least one client. Each client has these settings:\n\n")
	writeTable(&b, groups["client"])
	b.WriteString("\n## LiveEngage\n\nA client with `profile: liveengage` can also have these settings, under `liveengage`. " +
		"[liveengage.md](liveengage.md) explains them.\n\n")
	writeTable(&b, groups["liveengage"])
	return b.String()
}

func writeTable(b *strings.Builder, settings []config.Setting) {
	b.WriteString("| setting | default | meaning |\n| --- | --- | --- |\n")
	for _, s := range settings {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", s.Name, s.Default, s.Meaning)
	}
}
