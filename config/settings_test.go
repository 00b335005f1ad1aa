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
	page := settingsPage(t)
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(page), 0o644))
	}
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, page, string(text), "run: go test ./config -update")
}

// settingsPage returns docs/settings.md: testdata/settings.md with the tables filled in.
func settingsPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("testdata/settings.md")
	require.NoError(t, err)
	var server, client, liveEngage []config.Setting
	for _, s := range config.Settings() {
		var isClient, isLiveEngage bool
		s.Name, isClient = strings.CutPrefix(s.Name, "clients[].")
		s.Name, isLiveEngage = strings.CutPrefix(s.Name, "liveengage.")
		switch {
		case isLiveEngage:
			liveEngage = append(liveEngage, s)
		case isClient:
			client = append(client, s)
		default:
			server = append(server, s)
		}
	}
	tables := strings.NewReplacer(
		"{{server}}", table(server),
		"{{client}}", table(client),
		"{{liveengage}}", table(liveEngage),
	)
	return tables.Replace(string(page))
}

// table returns settings as a table in Markdown.
func table(settings []config.Setting) string {
	var b strings.Builder
	b.WriteString("| setting | default | meaning |\n| --- | --- | --- |")
	for _, s := range settings {
		fmt.Fprintf(&b, "\n| `%s` | %s | %s |", s.Name, s.Default, s.Meaning)
	}
	return b.String()
}
