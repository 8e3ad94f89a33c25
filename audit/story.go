package audit

// A Story is all that an audit knows of one object: what it is in its directory,
// what it is and is not tied to in the other one, what each rule says of it, and
// what becomes of it. Texts are raw, as the directories gave them.
type Story struct {
	Subject    Subject     `json:"subject"`
	Name       string      `json:"name"`
	Reach      string      `json:"reach,omitempty"` // of a Databricks identity, as far as is known
	Fields     []Field     `json:"fields"`
	Link       *Link       `json:"link,omitempty"`      // of a Databricks identity
	Matches    []Match     `json:"matches"`             // linked first, then candidates, then what is only like it
	Automatic  *Automatic  `json:"automatic,omitempty"` // of a Databricks identity that is not linked
	Now        Fate        `json:"now"`
	AfterPlan  Fate        `json:"after_plan"`
	Operations []Operation `json:"operations"` // of the plan, on this object
	Rules      []RuleStory `json:"rules"`      // every rule, in catalogue order
	Unread     []string    `json:"unread"`     // what was not read completely, so that none of this is proved
}

// A Field is one value of an object's record; a list has one for each element.
type Field struct {
	Name  string `json:"name"` // as the vendor calls it, such as "profile.login"
	Value string `json:"value"`
}

// A Link is what the externalId of a Databricks identity says.
type Link struct {
	State      LinkState `json:"state"`
	Why        string    `json:"why"`
	AlsoHeldBy []Subject `json:"also_held_by"` // other Databricks objects with this externalId
}

// A Match is an object of the other directory that is tied to the story's, or is
// like it and is not.
type Match struct {
	Subject   Subject  `json:"subject"`
	Name      string   `json:"name"`
	Linked    bool     `json:"linked"`    // by externalId
	Candidate bool     `json:"candidate"` // the Okta side is a candidate, live or not, of the Databricks side
	Because   []string `json:"because"`   // what ties them, byte for byte or after which folding
	But       string   `json:"but"`       // why the Okta side is no live candidate; blank if it is one
	Fields    []Field  `json:"fields"`
	Now       *Fate    `json:"now,omitempty"` // of a Databricks identity
	AfterPlan *Fate    `json:"after_plan,omitempty"`

	score float64 // how much it is like the story's object, where nothing ties them
}

// Tied reports whether an id or a name ties the two, not likeness alone.
func (m Match) Tied() bool { return m.Linked || m.Candidate }

// An Automatic says whether an identity may be linked without asking anybody.
type Automatic struct {
	Okta       Subject     `json:"okta,omitzero"` // the only live candidate
	Doubts     []string    `json:"doubts"`        // why not; empty if it may
	Collisions []Collision `json:"collisions"`    // the findings behind the doubts
}

// A Collision is a finding of a collision rule about a user or its live candidates.
type Collision struct {
	Finding string  `json:"finding"`
	About   Subject `json:"about"`
	Message string  `json:"message"`
}

// A RuleStory is what one rule says of an object, or why it says nothing.
type RuleStory struct {
	Rule     string         `json:"rule"`
	Title    string         `json:"title"`
	Findings []FindingStory `json:"findings"`
	Silence  Silence        `json:"silence,omitempty"` // blank if there are findings
	Why      string         `json:"why,omitempty"`     // it is silent
}

// A FindingStory is a finding with the operations that it asks for.
type FindingStory struct {
	Finding
	Asks []Operation `json:"asks"`
}

// A Silence is the kind of reason for which a rule says nothing of an object.
type Silence string

// The silences.
const (
	NotFired  Silence = "not-fired"   // it ran, and found nothing
	NotRun    Silence = "not-run"     // what it needs was not read completely
	NotItsOwn Silence = "not-its-own" // it speaks of no objects of this kind
)
