package web

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestContrast computes the contrast (WCAG 2.2) of each pair of colours of texts and
// meaningful borders, in the light and the dark design.
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile(filepath.Join("static", "idp.css"))
	require.NoError(t, err)
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), 2)
	require.Len(t, blocks, 2)
	colours := map[string]string{}
	for design, block := range blocks { // dark overrides light
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6})\b`).FindAllStringSubmatch(block[1], -1) {
			colours[m[1]] = m[2]
		}
		for pair, least := range map[[2]string]float64{
			{"text", "page"}: 4.5, {"text", "surface"}: 4.5, {"text", "field"}: 4.5,
			{"muted", "page"}: 4.5, {"muted", "surface"}: 4.5,
			{"accent", "surface"}: 4.5, {"on-accent", "accent"}: 4.5, {"on-accent", "accent-strong"}: 4.5,
			{"danger", "danger-surface"}: 4.5, {"danger", "surface"}: 4.5, {"on-warn", "warn"}: 4.5,
			{"border", "surface"}: 3, {"focus", "page"}: 3, {"focus", "surface"}: 3,
		} {
			require.GreaterOrEqual(t, contrast(t, colours[pair[0]], colours[pair[1]]), least, "%v in design %d", pair, design)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	require.NoError(t, err)
	linear := func(v uint64) float64 {
		c := float64(v&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}
