package audit

// A Proof says how it is known that a listing was read to its end.
type Proof struct {
	Pages    int    `json:"pages"`              // that the listing was made of
	Restarts int    `json:"restarts,omitempty"` // times it moved and was begun again, in whole or in part
	Changed  int    `json:"changed,omitempty"`  // objects that the second look gave, for they changed meanwhile
	Counted  int    `json:"counted,omitempty"`  // objects there are by another of the directory's counts, where it has one
	End      string `json:"end"`                // what showed the end

	// Windows are the parts of the time axis that were read side by side. They
	// tile it: each begins where the one before ends.
	Windows []Window `json:"windows,omitempty"`
}

// A Window is one part of a listing: the objects that were made at or after
// From and before To. Blank is no bound.
type Window struct {
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	Pages int    `json:"pages"`
	Rows  int    `json:"rows"`
	End   string `json:"end"` // what showed its end
}
