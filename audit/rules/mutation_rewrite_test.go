package rules_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A mutant is one way in which a file is broken. Its name says file, function
// and what becomes of what; it is the same while the code is.
type mutant struct{ name, file string }

// A rewriter makes a file of which every mutant is a part; at run time one of
// them acts, see mutantSwitch. So one build serves all.
type rewriter struct {
	name    string
	files   *token.FileSet
	src     []byte
	mutants *[]mutant      // of all files; the number of a mutant is its place, from 1 on
	lists   map[string]int // how long the lists of inputs are that have a name
	within  string         // the function or variable

	leave      map[ast.Node]bool // as they are, with all below
	conditions map[ast.Node]bool
	tags       map[ast.Node]ast.Expr // of clauses: what the switch is about
}

// mutantSwitch is what a package of rewritten files needs besides.
const mutantSwitch = `
import (
	"os"
	"slices"
	"strconv"
)

var theMutant, _ = strconv.Atoi(os.Getenv("AIMCHECK_MUTANT"))

func mutated(id int) bool { return theMutant == id }

// choose is the first, or what a mutant puts in its place.
func choose(id int, of ...func() bool) bool {
	if i := theMutant - id + 1; 1 <= i && i < len(of) {
		return of[i]()
	}
	return of[0]()
}

// junction is "all of" or "any of". A mutant leaves an operand out; the last
// one takes one for the other.
func junction(all bool, id int, of ...func() bool) bool {
	leftOut := theMutant - id
	if leftOut == len(of) {
		all = !all
	}
	for i, operand := range of {
		if i != leftOut && operand() != all {
			return !all
		}
	}
	return all
}

func other[T any](id int, v, w T) T {
	if mutated(id) {
		return w
	}
	return v
}

func without[T any](id int, list []T) []T {
	if i := theMutant - id; 0 <= i && i < len(list) {
		return slices.Delete(slices.Clone(list), i, i+1)
	}
	return list
}
`

// mutantOthers says what a mutant puts in the place of a constant or function.
var mutantOthers = map[string]string{
	"Info": "Warning", "Warning": "Error", "Error": "Blocker", "Blocker": "Error",
	"RemedyAutomatic": "RemedyChoose", "RemedyChoose": "RemedyReview", "RemedyReview": "RemedyChoose",
	"RemedyOkta": "RemedySupport", "RemedySupport": "RemedyOkta",
	"ClassUsers": "ClassOverwrite", "ClassGroups": "ClassUsers", "ClassServicePrincipals": "ClassUsers",
	"ClassOverwrite": "ClassUsers", "ClassNames": "ClassUsers", "ClassClear": "ClassUsers", "ClassDeactivate": "ClassUsers",
	"WrongPerson": "Duplicate", "Deactivate": "Unmanaged", "Duplicate": "Linked", "Linked": "Unmanaged",
	"Ambiguous": "Duplicate", "Blocked": "Unmanaged", "Unmanaged": "Linked", "Provision": "Unmanaged",
	"Unlinked": "Stale", "Stale": "Unlinked", "LinkedLive": "LinkedInactive", "LinkedInactive": "LinkedLive",
	"DriftRenamed": "DriftClaim", "DriftClaim": "DriftCase", "DriftCase": "NoDrift", "NoDrift": "DriftCase",
	"LiveCandidates": "Candidates", "Candidates": "LiveCandidates",
}

// mutantOperators says what a mutant puts in the place of an operator.
var mutantOperators = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL,
}

// mutate returns the file rewritten, and adds its mutants. Functions and
// variables for which skip holds stay as they are.
func mutate(t *testing.T, name string, src []byte, lists map[string]int, skip func(decl string) bool, mutants *[]mutant) string {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	r := &rewriter{name: name, files: files, src: src, mutants: mutants, lists: lists,
		leave: map[ast.Node]bool{}, conditions: map[ast.Node]bool{}, tags: map[ast.Node]ast.Expr{}}
	r.survey(f)
	out, from := "", f.FileStart
	for _, decl := range f.Decls {
		r.within = declared(decl)
		r.leave[decl] = r.within == "" || skip(r.within)
		out += r.between(from, decl.Pos()) + r.text(decl)
		from = decl.End()
	}
	return out + r.between(from, f.FileEnd)
}

// declared is the name of the function or variable, blank for anything else.
func declared(decl ast.Node) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		return d.Name.Name
	case *ast.GenDecl:
		if d.Tok == token.VAR {
			return d.Specs[0].(*ast.ValueSpec).Names[0].Name
		}
	}
	return ""
}

// inputLists finds how long the lists of inputs are that have a name.
func inputLists(t *testing.T, src []byte, lists map[string]int) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			if list, ok := v.Values[0].(*ast.CompositeLit); ok {
				lists[v.Names[0].Name] = len(list.Elts)
			}
		}
		return true
	})
}

// survey notes what a node can't tell of itself.
func (r *rewriter) survey(f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			r.conditions[n.Cond], r.leave[n.Init] = true, true
			r.leave[n] = n.Else == nil && !slices.ContainsFunc(n.Body.List, func(s ast.Stmt) bool {
				assign, ok := s.(*ast.AssignStmt)
				return !ok || !aboutTexts(r.source(assign))
			})
		case *ast.ForStmt:
			r.conditions[n.Cond], r.leave[n.Init], r.leave[n.Post] = true, true, true
		case *ast.SwitchStmt:
			r.leave[n.Init] = true
			for _, clause := range n.Body.List {
				for _, value := range clause.(*ast.CaseClause).List {
					r.tags[clause], r.conditions[value], r.leave[value] = n.Tag, n.Tag == nil, n.Tag != nil
				}
			}
		case *ast.TypeSwitchStmt:
			r.leave[n] = true
		case *ast.FuncType, *ast.FieldList:
			r.leave[n] = true
		case *ast.FuncDecl:
			r.leave[n.Name] = true
		case *ast.ValueSpec:
			for _, name := range n.Names {
				r.leave[name] = true
			}
		case *ast.CompositeLit:
			r.leave[n.Type] = true
		case *ast.KeyValueExpr:
			// Examples and texts hold no conditions, and whether a check is made in parts leaves no trace.
			key, ok := n.Key.(*ast.Ident)
			r.leave[n] = ok && slices.Contains([]string{"Examples", "Doc", "Name", "Quiet", "Message", "Evidence", "About", "Apart"}, key.Name)
		}
		return true
	})
	delete(r.conditions, nil)
	delete(r.leave, nil)
}

func (r *rewriter) source(n ast.Node) string { return r.between(n.Pos(), n.End()) }

func (r *rewriter) between(from, to token.Pos) string {
	return string(r.src[r.files.Position(from).Offset:r.files.Position(to).Offset])
}

// add numbers a new mutant.
func (r *rewriter) add(what string, args ...any) int {
	name := r.name + " " + r.within + ": " + strings.Join(strings.Fields(fmt.Sprintf(what, args...)), " ")
	unique := name
	for again := 2; slices.ContainsFunc(*r.mutants, func(m mutant) bool { return m.name == unique }); again++ {
		unique = fmt.Sprintf("%s (%d)", name, again)
	}
	*r.mutants = append(*r.mutants, mutant{unique, r.name})
	return len(*r.mutants)
}

// rewrite is the text of the node, with mutants in everything below it.
func (r *rewriter) rewrite(n ast.Node) string {
	var below []ast.Node
	ast.Inspect(n, func(m ast.Node) bool {
		if m != nil && m != n {
			below = append(below, m)
		}
		return m == n
	})
	return r.splice(n.Pos(), n.End(), below)
}

// splice is the source between two places, the nodes that stand there broken or rewritten.
func (r *rewriter) splice(from, to token.Pos, nodes []ast.Node) string {
	var out strings.Builder
	for _, n := range nodes {
		if n.Pos() < from { // a comment that stands before
			continue
		}
		out.WriteString(r.between(from, n.Pos()) + r.text(n))
		from = n.End()
	}
	return out.String() + r.between(from, to)
}

// text is the node with mutants in it and below it.
func (r *rewriter) text(n ast.Node) string {
	switch n := n.(type) {
	case *ast.Comment, *ast.CommentGroup:
		return r.source(n)
	case *ast.FuncDecl:
		if !r.leave[n] && n.Type.Results != nil { // a clause that is left out leads to the end
			body := r.rewrite(n)
			return strings.TrimSuffix(body, "}") + "\npanic(\"mutant\")\n}"
		}
	}
	switch {
	case r.leave[n]:
		return r.source(n)
	case r.conditions[n]:
		id := r.add("not (%s)", r.source(n))
		return fmt.Sprintf("(%s) != mutated(%d)", r.expr(n.(ast.Expr), true), id)
	}
	switch n := n.(type) {
	case *ast.BranchStmt:
		return r.unless(n)
	case *ast.ExprStmt:
		return r.unless(n)
	case *ast.IncDecStmt:
		return r.unless(n)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE && !aboutTexts(r.source(n)) {
			return r.unless(n)
		}
	case *ast.CaseClause:
		return r.clause(n)
	case *ast.KeyValueExpr:
		return r.pair(n)
	case ast.Expr:
		return r.expr(n, false)
	}
	return r.rewrite(n)
}

// aboutTexts reports whether a statement makes evidence or messages, by which
// findings are not compared.
func aboutTexts(statement string) bool {
	for _, word := range []string{"vidence", "essage", "what", "parts", "missing", "twice", "why", "names ="} {
		if strings.Contains(statement, word) {
			return true
		}
	}
	return false
}

// unless leaves the statement out.
func (r *rewriter) unless(n ast.Stmt) string {
	id := r.add("without %s", strings.SplitN(r.source(n), "\n", 2)[0])
	return fmt.Sprintf("if !mutated(%d) { %s }", id, r.rewrite(n))
}

// clause leaves out the clause, for one of its values each.
func (r *rewriter) clause(n *ast.CaseClause) string {
	head := r.splice(n.Pos(), n.Colon+1, nodes(n.List))
	if tag := r.tags[n]; tag != nil {
		for _, value := range n.List {
			head += fmt.Sprintf(" if mutated(%d) && (%s) == (%s) { break };",
				r.add("without case %s", r.source(value)), r.source(tag), r.source(value))
		}
	}
	return head + r.splice(n.Colon+1, n.End(), nodes(n.Body))
}

func nodes[N ast.Node](of []N) []ast.Node {
	return collect(of, func(n N) ast.Node { return n })
}

// pair leaves out what a check needs.
func (r *rewriter) pair(n *ast.KeyValueExpr) string {
	if key, ok := n.Key.(*ast.Ident); !ok || key.Name != "Needs" {
		return r.source(n.Key) + ":" + r.text(n.Value)
	}
	var elements []string
	switch list := n.Value.(type) {
	case *ast.CompositeLit:
		elements = collect(list.Elts, func(e ast.Expr) string { return r.source(e) })
	default:
		for i := range r.lists[r.source(list)] {
			elements = append(elements, fmt.Sprintf("%s[%d]", r.source(list), i))
		}
	}
	first := len(*r.mutants) + 1
	for _, e := range elements {
		r.add("without need of %s", e)
	}
	return fmt.Sprintf("Needs: without(%d, %s)", first, r.source(n.Value))
}

// expr breaks an expression. The whole of a condition is negated already.
func (r *rewriter) expr(n ast.Expr, whole bool) string {
	switch n := n.(type) {
	case *ast.ParenExpr:
		return "(" + r.expr(n.X, whole) + ")"
	case *ast.UnaryExpr:
		if n.Op == token.NOT && !whole {
			return fmt.Sprintf("((%s) == mutated(%d))", r.text(n.X), r.add("not (%s)", r.source(n)))
		}
	case *ast.BinaryExpr:
		switch n.Op {
		case token.LAND, token.LOR:
			return r.junction(n)
		}
		if _, compares := mutantOperators[n.Op]; compares {
			return r.comparison(n, whole)
		}
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			return fmt.Sprintf("(%s != mutated(%d))", n.Name, r.add("not %s", n.Name))
		}
		if o := mutantOthers[n.Name]; o != "" {
			return fmt.Sprintf("other(%d, %s, %s)", r.add("%s for %s", o, n.Name), n.Name, o)
		}
	case *ast.SelectorExpr:
		if o := mutantOthers[n.Sel.Name]; o != "" {
			x := r.source(n.X)
			return fmt.Sprintf("other(%d, %s.%s, %s.%s)", r.add("%s.%s for %s", x, o, r.source(n)), x, n.Sel.Name, x, o)
		}
		return r.text(n.X) + "." + n.Sel.Name
	}
	return r.rewrite(n)
}

// junction leaves out one operand each, and takes "or" for "and" or the other way round.
func (r *rewriter) junction(n *ast.BinaryExpr) string {
	operands := []ast.Expr{n.Y}
	x := n.X
	for {
		left, ok := x.(*ast.BinaryExpr)
		if !ok || left.Op != n.Op {
			break
		}
		operands, x = append(operands, left.Y), left.X
	}
	operands = append(operands, x)
	slices.Reverse(operands)
	first := len(*r.mutants) + 1
	for _, o := range operands {
		r.add("%s without %s", r.source(n), r.source(o))
	}
	r.add("%s by the other operator", r.source(n))
	text := fmt.Sprintf("junction(%v, %d", n.Op == token.LAND, first)
	for _, o := range operands {
		text += ", func() bool { return " + r.text(o) + " }"
	}
	return text + ")"
}

// comparison takes another operator, and numbers that are one off.
func (r *rewriter) comparison(n *ast.BinaryExpr, whole bool) string {
	x, y := r.text(n.X), r.text(n.Y)
	text := fmt.Sprintf("func() bool { return %s %s %s }", x, n.Op, y)
	first := len(*r.mutants) + 1
	instead := func(op token.Token, y, source string) {
		r.add("%s %s %s for %s", r.source(n.X), op, source, r.source(n))
		text += fmt.Sprintf(", func() bool { return %s %s %s }", x, op, y)
	}
	number, err := strconv.Atoi(r.source(n.Y))
	if err == nil && number > 0 {
		instead(n.Op, strconv.Itoa(number-1), strconv.Itoa(number-1))
	}
	if err == nil {
		instead(n.Op, strconv.Itoa(number+1), strconv.Itoa(number+1))
	}
	orders := n.Op != token.EQL && n.Op != token.NEQ
	if orders && err != nil || !orders && !whole {
		instead(mutantOperators[n.Op], y, r.source(n.Y))
	}
	if first > len(*r.mutants) {
		return fmt.Sprintf("%s %s %s", x, n.Op, y)
	}
	return fmt.Sprintf("choose(%d, %s)", first, text)
}
