package oidc_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// A patch breaks one function. It finds its place in the syntax tree, by the words
// of the protocol that the place mentions, and not by its source text, so that it
// survives a change of names and of layout around it.
//
// A word is an identifier ("RedirectURI"), the value of a literal ("redirect_uri",
// "1", `""`) or an operator ("=="). A patch applies to the smallest place that
// mentions all of its words. It fails if there is none, or more than one.
//
// In the code of a patch, $0 is what is replaced and $recv, $p1, $p2 … are the
// receiver and the parameters of the function. In that of a call, $f is the
// function, $x what it is a method of, and $1, $2 … are its arguments.
type patch func(*broken) error

// never makes a condition, or the part of it that mentions the words, false.
func never(words ...string) patch { return setCondition("(false && ($0))", words) }

// always makes a condition, or the part of it that mentions the words, true.
func always(words ...string) patch { return setCondition("(true || ($0))", words) }

func setCondition(format string, words []string) patch {
	return func(b *broken) error { return b.replaceOne("condition", b.conditions(words), format) }
}

// setField replaces the value of a field in a composite literal.
func setField(field, format string) patch {
	return func(b *broken) error {
		var found []ast.Node
		for n := range ast.Preorder(b.decl) {
			if pair, ok := n.(*ast.KeyValueExpr); ok && isIdent(pair.Key, field) {
				found = append(found, pair.Value)
			}
		}
		return b.replaceOne("field "+field, found, format)
	}
}

// setElement replaces an element of the composite literal that mentions the words.
func setElement(index int, format string, words ...string) patch {
	return func(b *broken) error {
		literals := b.smallest(words,
			func(n ast.Node) bool { l, ok := n.(*ast.CompositeLit); return ok && len(l.Elts) > index })
		var found []ast.Node
		for _, n := range literals {
			element := n.(*ast.CompositeLit).Elts[index] //nolint:forcetypeassert // smallest returns no others
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				element = pair.Value
			}
			found = append(found, element)
		}
		return b.replaceOne("composite literal", found, format)
	}
}

// setVariable replaces what is assigned to a variable or field, by the name of the
// latter and by words of what is assigned.
func setVariable(name, format string, words ...string) patch {
	return func(b *broken) error {
		var found []ast.Node
		for n := range ast.Preorder(b.decl) {
			assign, ok := n.(*ast.AssignStmt)
			if !ok || len(assign.Lhs) != len(assign.Rhs) {
				continue
			}
			for i, left := range assign.Lhs {
				if s, ok := left.(*ast.SelectorExpr); (ok && s.Sel.Name == name || isIdent(left,
					name)) && mentionsAll(assign.Rhs[i], words) {
					found = append(found, assign.Rhs[i])
				}
			}
		}
		return b.replaceOne("assignment to "+name, found, format)
	}
}

// setCall replaces the call that mentions the words.
func setCall(format string, words ...string) patch {
	return func(b *broken) error {
		return b.replaceOne("call", b.smallest(words, func(n ast.Node) bool { _, ok := n.(*ast.CallExpr); return ok }),
			format)
	}
}

// setReturn replaces the values of the return statement that mentions the words.
func setReturn(format string, words ...string) patch {
	return func(b *broken) error {
		isReturn := func(n ast.Node) bool { _, ok := n.(*ast.ReturnStmt); return ok }
		return b.replaceOne("return statement", b.smallest(words, isReturn), "return "+format)
	}
}

// setText replaces a part of a string literal. It is for SQL, headers and tags.
func setText(old, changed string) patch {
	return func(b *broken) error {
		var found []ast.Node
		for n := range ast.Preorder(b.decl) {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && strings.Count(l.Value, old) == 1 {
				found = append(found, l)
			}
		}
		if len(found) != 1 {
			return fmt.Errorf("%d string literals have %q once", len(found), old)
		}
		return b.replaceOne("literal", found, strings.Replace(b.text(found[0]), old, changed, 1))
	}
}

// remove takes out the statement that mentions the words.
func remove(words ...string) patch {
	return func(b *broken) error {
		isStatement := func(n ast.Node) bool {
			switch n.(type) {
			case *ast.ExprStmt, *ast.AssignStmt:
				return true
			}
			return false
		}
		return b.replaceOne("statement", b.smallest(words, isStatement), "if false { $0 }")
	}
}

// begin inserts code at the beginning of the function.
func begin(code string) patch {
	return func(b *broken) error {
		f, ok := b.decl.(*ast.FuncDecl)
		if !ok {
			return errors.New("not a function")
		}
		b.insert(f.Body.Lbrace+1, "\n"+b.fill(code, nil)+"\n")
		return nil
	}
}

// beginIf inserts code at the beginning of the body of the if statement whose
// condition mentions the words.
func beginIf(code string, words ...string) patch {
	return func(b *broken) error {
		var found []*ast.IfStmt
		for n := range ast.Preorder(b.decl) {
			if s, ok := n.(*ast.IfStmt); ok && mentionsAll(s.Cond, words) {
				found = append(found, s)
			}
		}
		if len(found) != 1 {
			return fmt.Errorf("%d if statements mention %q", len(found), words)
		}
		b.insert(found[0].Body.Lbrace+1, "\n"+b.fill(code, nil)+"\n")
		return nil
	}
}

// endDefault replaces the statements of the only default clause.
func endDefault(code string) patch {
	return func(b *broken) error {
		var found []*ast.CaseClause
		for n := range ast.Preorder(b.decl) {
			if c, ok := n.(*ast.CaseClause); ok && c.List == nil {
				found = append(found, c)
			}
		}
		if len(found) != 1 {
			return fmt.Errorf("%d default clauses", len(found))
		}
		b.insert(found[0].Colon+1, "\n"+b.fill(code, nil)+"\n")
		return nil
	}
}

// both applies several patches to one function.
func both(patches ...patch) patch {
	return func(b *broken) error {
		for _, p := range patches {
			if err := p(b); err != nil {
				return err
			}
		}
		return nil
	}
}

// broken is a file while a declaration in it is patched.
type broken struct {
	path   string
	source []byte
	files  *token.FileSet
	file   *ast.File
	decl   ast.Node
	edits  []edit
}

// edit replaces bytes of the source.
type edit struct {
	from, to int
	text     string
}

// openDeclaration finds a function ("checkScope"), a method ("Provider.token"), a
// constant or a type of a package.
func openDeclaration(folder, name string) (*broken, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if decl := findDeclaration(file, name); decl != nil {
			return &broken{path: path, source: source, files: files, file: file, decl: decl}, nil
		}
	}
	return nil, fmt.Errorf("there is no function, constant or type %s in %s; was it renamed or moved?", name, folder)
}

func findDeclaration(file *ast.File, name string) ast.Node {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && functionName(f) == name {
			return f
		}
		general, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				if slices.ContainsFunc(s.Names, func(n *ast.Ident) bool { return n.Name == name }) {
					return s
				}
			case *ast.TypeSpec:
				if s.Name.Name == name {
					return s
				}
			}
		}
	}
	return nil
}

// functionName is the name of a function, or Type.method.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// mentions returns the words of a node.
func mentions(n ast.Node) map[string]bool {
	words := map[string]bool{}
	for c := range ast.Preorder(n) {
		switch c := c.(type) {
		case *ast.Ident:
			words[c.Name] = true
		case *ast.BasicLit:
			words[c.Value] = true
			if s, err := strconv.Unquote(c.Value); err == nil && s != "" {
				words[s] = true
			}
		case *ast.BinaryExpr:
			words[c.Op.String()] = true
		case *ast.UnaryExpr:
			words[c.Op.String()] = true
		}
	}
	return words
}

func mentionsAll(n ast.Node, words []string) bool {
	has := mentions(n)
	return !slices.ContainsFunc(words, func(w string) bool { return !has[w] })
}

// smallest returns the nodes of a kind that mention all words and contain no other
// such node.
func (b *broken) smallest(words []string, is func(ast.Node) bool) []ast.Node {
	var found []ast.Node
	for n := range ast.Preorder(b.decl) {
		if is(n) && mentionsAll(n, words) {
			found = append(found, n)
		}
	}
	return slices.DeleteFunc(found, func(n ast.Node) bool {
		return slices.ContainsFunc(found, func(inner ast.Node) bool {
			return inner != n && inner.Pos() >= n.Pos() && inner.End() <= n.End()
		})
	})
}

// conditions returns the smallest parts of the conditions of a declaration that
// mention all words. A condition is that of an if statement, which is also found by
// the words before its semicolon, a case of a switch without a tag, or a boolean
// expression that is returned or assigned.
func (b *broken) conditions(words []string) []ast.Node {
	var found []ast.Node
	for n := range ast.Preorder(b.decl) {
		switch s := n.(type) {
		case *ast.IfStmt:
			parts := smallestParts(s.Cond, words)
			if len(parts) == 0 && s.Init != nil {
				has := mentions(s.Init)
				rest := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return has[w] })
				if len(rest) < len(words) && mentionsAll(s.Cond, rest) {
					parts = []ast.Node{s.Cond}
				}
			}
			found = append(found, parts...)
		case *ast.SwitchStmt:
			for _, c := range s.Body.List {
				if clause, ok := c.(*ast.CaseClause); ok && s.Tag == nil {
					found = append(found, partsOf(clause.List, words)...)
				}
			}
		case *ast.ReturnStmt:
			found = append(found, partsOf(onlyBoolean(s.Results), words)...)
		case *ast.AssignStmt:
			found = append(found, partsOf(onlyBoolean(s.Rhs), words)...)
		}
	}
	return found
}

func onlyBoolean(list []ast.Expr) []ast.Expr {
	operators := []token.Token{
		token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.GTR, token.LEQ, token.GEQ,
	}
	return slices.DeleteFunc(slices.Clone(list), func(e ast.Expr) bool {
		binary, ok := e.(*ast.BinaryExpr)
		return !ok || !slices.Contains(operators, binary.Op)
	})
}

func partsOf(list []ast.Expr, words []string) []ast.Node {
	var found []ast.Node
	for _, e := range list {
		found = append(found, smallestParts(e, words)...)
	}
	return found
}

// smallestParts goes down through && and || and parentheses.
func smallestParts(e ast.Expr, words []string) []ast.Node {
	if !mentionsAll(e, words) {
		return nil
	}
	var inner []ast.Node
	switch x := e.(type) {
	case *ast.ParenExpr:
		inner = smallestParts(x.X, words)
	case *ast.UnaryExpr:
		if paren, ok := x.X.(*ast.ParenExpr); ok {
			inner = smallestParts(paren.X, words)
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			inner = append(smallestParts(x.X, words), smallestParts(x.Y, words)...)
		}
	}
	if len(inner) > 0 {
		return inner
	}
	return []ast.Node{e}
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func (b *broken) offset(p token.Pos) int { return b.files.Position(p).Offset }

func (b *broken) text(n ast.Node) string {
	return string(b.source[b.offset(n.Pos()):b.offset(n.End())])
}

func (b *broken) insert(at token.Pos, text string) {
	b.edits = append(b.edits, edit{b.offset(at), b.offset(at), text})
}

// replaceOne replaces the one node that was found.
func (b *broken) replaceOne(what string, found []ast.Node, format string) error {
	if len(found) != 1 {
		places := make([]string, 0, len(found))
		for _, n := range found {
			places = append(places, b.text(n))
		}
		return fmt.Errorf("%d places fit instead of one (%s): %s", len(found), what, strings.Join(places, " | "))
	}
	n := found[0]
	b.edits = append(b.edits, edit{b.offset(n.Pos()), b.offset(n.End()), b.fill(format, n)})
	return nil
}

// fill puts the names of the function and the parts of a node into code.
func (b *broken) fill(code string, n ast.Node) string {
	var pairs []string
	if f, ok := b.decl.(*ast.FuncDecl); ok {
		if f.Recv != nil && len(f.Recv.List[0].Names) > 0 {
			pairs = append(pairs, "$recv", f.Recv.List[0].Names[0].Name)
		}
		i := 0
		for _, field := range f.Type.Params.List {
			for _, name := range field.Names {
				i++
				pairs = append(pairs, "$p"+strconv.Itoa(i), name.Name)
			}
		}
	}
	if n != nil {
		pairs = append(pairs, "$0", b.text(n))
	}
	if call, ok := n.(*ast.CallExpr); ok {
		pairs = append(pairs, "$f", b.text(call.Fun))
		if s, ok := call.Fun.(*ast.SelectorExpr); ok {
			pairs = append(pairs, "$x", b.text(s.X))
		}
		for i, a := range call.Args {
			pairs = append(pairs, "$"+strconv.Itoa(i+1), b.text(a))
		}
	}
	return strings.NewReplacer(pairs...).Replace(code)
}

// result applies the edits and imports what they need.
func (b *broken) result() ([]byte, error) {
	imported := map[string]bool{}
	for _, spec := range b.file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			imported[path] = true
		}
	}
	var imports string
	for name, path := range map[string]string{"strings": "strings", "url": "net/url", "http": "net/http", "time": "time"} {
		uses := func(e edit) bool { return strings.Contains(e.text, name+".") }
		if !imported[path] && slices.ContainsFunc(b.edits, uses) {
			imports += "; import " + strconv.Quote(path)
		}
	}
	b.insert(b.file.Name.End(), imports)
	sort.Slice(b.edits, func(i, j int) bool { return b.edits[i].from > b.edits[j].from })
	out := slices.Clone(b.source)
	for _, e := range b.edits {
		out = slices.Replace(out, e.from, e.to, []byte(e.text)...)
	}
	_, err := parser.ParseFile(token.NewFileSet(), b.path, out, parser.SkipObjectResolution)
	return out, err
}
