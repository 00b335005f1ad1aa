package config

import (
	"math"
	"net/netip"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// plain returns a text as the file means it; a number is none, because YAML
// would change 007 and 1e3 on their way.
func plain(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

// keyOf returns a key as it is written; one that is no text is known nowhere.
func keyOf(n ast.MapKeyNode) string {
	if s, ok := plain(n); ok {
		return s
	}
	return n.GetToken().Value
}

func whole(n ast.Node) (int64, bool) {
	number, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch v := number.Value.(type) {
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64 //nolint:gosec // the caller looks at the second value
	}
	return 0, false
}

func fraction(n ast.Node) (float64, bool) {
	if f, ok := n.(*ast.FloatNode); ok {
		return f.Value, true
	}
	i, ok := whole(n)
	return float64(i), ok
}

// prefix reads a network, or an address as the network of itself alone.
func prefix(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	return p.Masked(), true
}

// kind says what a node is, in words.
func kind(n ast.Node) string {
	switch n.(type) {
	case ast.MapNode:
		return "a map"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "empty"
	case *ast.AnchorNode:
		return "an anchor (&)"
	case *ast.AliasNode:
		return "an alias (*)"
	case *ast.TagNode:
		return "a tag (!)"
	}
	return "of an unknown kind"
}

// tooDeep says whether brackets or dashes nest deeper than any file of ours:
// the library's parser takes memory without bound for them.
func tooDeep(data []byte) bool {
	const most = 64
	depth, dashes := 0, 0
	for i, c := range data {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		case '-', '?':
			if i+1 < len(data) && (data[i+1] == ' ' || data[i+1] == '\t') {
				dashes++
			}
		case '\n', '\r':
			dashes = 0
		}
		if depth > most || dashes > most {
			return true
		}
	}
	return false
}

// excerpt is the beginning of what somebody wrote, up to what may be another
// key and its value on a line that was indented too far.
func excerpt(s string) string {
	const most = 40
	if before, _, found := strings.Cut(s, ": "); found {
		s = before + "…"
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
