package config

import (
	"math"
	"net/netip"

	"github.com/goccy/go-yaml/ast"
)

// oneOrMore is a list of strings that can also be written as one string.
type oneOrMore []string

// stringValue returns a string. Numbers don't count as strings, because YAML would
// change values such as 007 and 1e3.
func stringValue(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

// keyName returns a key as it is written, even if it is not a string.
func keyName(n ast.MapKeyNode) string {
	if s, ok := stringValue(n); ok {
		return s
	}
	return n.GetToken().Value
}

func intValue(n ast.Node) (int64, bool) {
	number, ok := n.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	switch v := number.Value.(type) {
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64 //nolint:gosec // the caller checks the second value
	}
	return 0, false
}

func floatValue(n ast.Node) (float64, bool) {
	if f, ok := n.(*ast.FloatNode); ok {
		return f.Value, true
	}
	i, ok := intValue(n)
	return float64(i), ok
}

// parsePrefix parses a network, or an IP address as a network of one address.
func parsePrefix(s string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return prefix.Masked(), true
	}
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(ip, ip.BitLen()), true
}

// describeKind says in words what a node is.
func describeKind(n ast.Node) string {
	switch n.(type) {
	case ast.MapNode:
		return "a map"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "a string"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "empty"
	case *ast.AnchorNode:
		return "a YAML anchor (&)"
	case *ast.AliasNode:
		return "a YAML alias (*)"
	case *ast.TagNode:
		return "a YAML tag (!)"
	}
	return "of an unknown kind"
}

// nestsTooDeeply reports whether brackets or dashes nest deeper than any real file:
// the YAML library's parser needs memory without bound for them.
func nestsTooDeeply(data []byte) bool {
	const deepest = 64
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
		if depth > deepest || dashes > deepest {
			return true
		}
	}
	return false
}
