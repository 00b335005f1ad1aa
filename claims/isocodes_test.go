package claims

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCodeTables(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table         string
		count, length int
	}{
		"countries":            {countries, 249, 2},
		"languages":            {languages, 183, 2},
		"currencies in use":    {currenciesInUse, 155, 3},
		"currency units":       {currencyUnits, 16, 3},
		"withdrawn currencies": {withdrawnCurrencies, 3, 3},
	} {
		codes := strings.Fields(c.table)
		require.Len(t, codes, c.count, name)
		require.True(t, slices.IsSorted(codes), "%s are in alphabetical order", name)
		require.Len(t, slices.Compact(codes), c.count, "%s have no duplicates", name)
		for _, code := range codes {
			require.Len(t, code, c.length, "%s: %s", name, code)
		}
	}
	all := slices.Sorted(strings.FieldsSeq(currencies))
	require.Len(t, slices.Compact(all), 155+16+3, "no currency is in two tables")
}

func TestContainsCode(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"AED", "ZWG", "BGN", "XAU"} {
		require.True(t, isCurrency(code), code)
	}
	for _, code := range []string{"", " ", "AE", "AED AFN", "EDA", "aed", "XXX", "\n"} {
		require.False(t, isCurrency(code), "%q", code)
	}
}
