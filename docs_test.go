package idpbridge_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// page is one Markdown file of this repository.
type page struct {
	path string // from the root, with slashes
	text string
}

// readPages reads every Markdown file, README.md and CONTRIBUTING.md among them.
func readPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			pages = append(pages, page{path: filepath.ToSlash(name), text: string(text)})
		}
	}
	require.NotEmpty(t, pages)
	return pages
}

var (
	codeBlock    = regexp.MustCompile("(?ms)^```.*?^```|^    .*?$")
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	heading      = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	codeSpan     = regexp.MustCompile("`([^`\n]+)`")
)

// prose is the page without its code blocks.
func (p page) prose() string { return codeBlock.ReplaceAllString(p.text, "") }

// anchors returns the fragments that GitHub gives to the headings of the page.
func (p page) anchors() map[string]bool {
	found := map[string]bool{}
	notInAnchor := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, match := range heading.FindAllStringSubmatch(p.prose(), -1) {
		anchor := notInAnchor.ReplaceAllString(strings.ToLower(match[1]), "")
		found[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	return found
}

func TestLinksInTheDocumentationLeadSomewhere(t *testing.T) {
	t.Parallel()
	pages := readPages(t)
	anchors := map[string]map[string]bool{}
	for _, p := range pages {
		anchors[p.path] = p.anchors()
	}
	for _, p := range pages {
		for _, match := range markdownLink.FindAllStringSubmatch(p.prose(), -1) {
			link := match[1] + match[2]
			if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			file, fragment, _ := strings.Cut(link, "#")
			target := p.path
			if file != "" {
				target = path.Join(path.Dir(p.path), file)
			}
			if _, err := os.Stat(target); !assert.NoError(t, err, "%s links to %s", p.path, link) {
				continue
			}
			if fragment != "" {
				assert.True(t, anchors[target][fragment], "%s links to %s: %s has no such heading", p.path, link, target)
			}
		}
	}
}

// namedFile matches a name that can only be a file of this repository; what
// operators name, such as idp.yaml, is not.
var namedFile = regexp.MustCompile(`(?:[\w.*-]+/)*[\w.*-]+\.(?:go|md|sh|mjs|html|golden|template|sql)\b|docs/adr/\d{4}`)

// missingFiles returns the files that a text names and that are neither below the
// root nor beside the file with the text.
func missingFiles(t *testing.T, folder, text string) []string {
	t.Helper()
	var missing []string
	for _, at := range namedFile.FindAllStringIndex(text, -1) {
		if at[0] > 0 && strings.ContainsRune("/.:@-", rune(text[at[0]-1])) {
			continue // part of a URL or of a path that is not from the root
		}
		name := text[at[0]:at[1]]
		if strings.Trim(path.Base(name), "*.") == strings.TrimPrefix(path.Ext(name), ".") {
			continue // *.go, a pattern for any file
		}
		pattern := name
		if strings.HasPrefix(name, "docs/adr/") && path.Ext(name) == "" {
			pattern += "-*.md"
		}
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		if len(found) == 0 {
			found, err = filepath.Glob(path.Join(folder, pattern))
			require.NoError(t, err)
		}
		if len(found) == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}

func TestFilesNamedInTheDocumentationExist(t *testing.T) {
	t.Parallel()
	for _, p := range readPages(t) {
		if p.path == "CHANGELOG.md" {
			continue // names what was there at the time
		}
		for _, match := range codeSpan.FindAllStringSubmatch(p.text, -1) {
			assert.Empty(t, missingFiles(t, path.Dir(p.path), match[1]), "%s names `%s`", p.path, match[1])
		}
	}
}

func TestFilesNamedInCommentsExist(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		syntax, err := parser.ParseFile(token.NewFileSet(), s.path, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, group := range syntax.Comments {
			assert.Empty(t, missingFiles(t, s.folder, group.Text()), "a comment in %s names files that do not exist", s.path)
		}
	}
}

// TestLabelsInTheWalkthroughsAreOnThePages looks for each label that README.md and
// docs/simulator.md print in bold, such as a button, in the templates and in the
// texts of the set-up page.
func TestLabelsInTheWalkthroughsAreOnThePages(t *testing.T) {
	t.Parallel()
	var shown strings.Builder
	for _, pattern := range []string{"*/templates/*.html", "*/*/templates/*.html", "liveengage/setup/*.go"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			shown.Write(text)
		}
	}
	bold := regexp.MustCompile(`\*\*([^*]+)\*\*`)
	for _, p := range readPages(t) {
		if p.path != "README.md" && p.path != "docs/simulator.md" {
			continue
		}
		for _, match := range bold.FindAllStringSubmatch(p.prose(), -1) {
			if label := match[1]; !strings.HasSuffix(label, ".") { // that is a heading in a list
				found := strings.Contains(shown.String(), label)
				assert.True(t, found, "%s: no page shows %s", p.path, match[0])
			}
		}
	}
}

// adr matches a decision named by its number, as in "ADR 4".
var adr = regexp.MustCompile(`\bADRs? (\d+)\b`)

func TestDecisionsNamedByNumberExist(t *testing.T) {
	t.Parallel()
	decisions, err := filepath.Glob("docs/adr/*.md")
	require.NoError(t, err)
	numbers := map[string]bool{}
	for _, name := range decisions {
		numbers[strings.TrimLeft(filepath.Base(name)[:4], "0")] = true
	}
	for _, p := range readPages(t) {
		for _, match := range adr.FindAllStringSubmatch(p.text, -1) {
			assert.True(t, numbers[match[1]], "%s names ADR %s", p.path, match[1])
		}
	}
}

// qualified matches a Go name in backticks, as in `oidc.Client` or
// `oidc.Provider.Register`.
var qualified = regexp.MustCompile("`([a-z][a-z0-9]*)\\.([A-Z]\\w*)(?:\\.(\\w+))?(?:\\(\\))?`")

func TestGoNamesInTheDocumentationExist(t *testing.T) {
	t.Parallel()
	declared := declarations(t)
	for _, p := range readPages(t) {
		if p.path == "CHANGELOG.md" {
			continue
		}
		for _, match := range qualified.FindAllStringSubmatch(p.text, -1) {
			names, ours := declared[match[1]]
			if !ours {
				continue
			}
			name := strings.TrimSuffix(match[2]+"."+match[3], ".")
			assert.True(t, names[name], "%s names %s: there is no such name in package %s", p.path, match[0], match[1])
		}
	}
}

// declarations returns, for each package by its name, what it declares: functions,
// types, constants and variables, and methods and fields as Type.name.
func declarations(t *testing.T) map[string]map[string]bool {
	t.Helper()
	declared := map[string]map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		names := declared[s.syntax.Name.Name]
		if names == nil {
			names = map[string]bool{}
			declared[s.syntax.Name.Name] = names
		}
		for _, d := range s.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[receiverPrefix(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					addSpec(names, spec)
				}
			}
		}
	}
	return declared
}

// receiverPrefix is the type of a method's receiver and a dot, and empty for a function.
func receiverPrefix(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}

func addSpec(names map[string]bool, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names[name.Name] = true
		}
	case *ast.TypeSpec:
		names[spec.Name.Name] = true
		var members *ast.FieldList
		switch of := spec.Type.(type) {
		case *ast.StructType:
			members = of.Fields
		case *ast.InterfaceType:
			members = of.Methods
		}
		if members == nil {
			return
		}
		for _, member := range members.List {
			for _, name := range member.Names {
				names[spec.Name.Name+"."+name.Name] = true
			}
		}
	}
}

// TestTheWalkInContributingIsRight checks the table of the path of a sign-in: that
// each function is declared in its file, and that it stays short.
func TestTheWalkInContributingIsRight(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| \\d\\. .*\\| `([^`]+)` \\| `([^`]+)` \\|$")
	steps := row.FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, steps)
	require.LessOrEqual(t, len(steps), 7)
	for _, step := range steps {
		file, function := step[1], step[2]
		require.False(t, strings.HasPrefix(file, "cmd/"), "%s: the path of a sign-in does not lead through commands", file)
		require.True(t, slices.ContainsFunc(sources(t), func(s source) bool {
			return s.path == file && slices.ContainsFunc(s.syntax.Decls, func(d ast.Decl) bool {
				f, ok := d.(*ast.FuncDecl)
				return ok && receiverPrefix(f)+f.Name.Name == function
			})
		}), "CONTRIBUTING.md: %s does not declare %s", file, function)
	}
}

// TestEveryFolderIsExplained compares the table of ADR 1 with the folders that the
// architecture allows.
func TestEveryFolderIsExplained(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/adr/0001-folders-and-arrows.md")
	require.NoError(t, err)
	var explained, folders []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		explained = append(explained, row[1])
	}
	for folder := range arrows() {
		if folder != "." {
			folders = append(folders, folder)
		}
	}
	require.ElementsMatch(t, folders, explained, "the table of docs/adr/0001")
}

// TestEveryDeviationIsDocumented compares the table of docs/liveengage.md with the
// constants of type oidc.Deviation.
func TestEveryDeviationIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/liveengage.md")
	require.NoError(t, err)
	var names []string
	for _, s := range sources(t) {
		if s.folder != "oidc" || s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if ok && len(spec.Values) == 1 && spec.Type != nil && lastName(spec.Type) == "Deviation" {
				names = append(names, stringValue(spec.Values[0]))
			}
			return true
		})
	}
	require.NotEmpty(t, names)
	require.ElementsMatch(t, names, rowsOf(string(text), "Deviations"))
}
