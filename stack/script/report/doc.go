// Package report tells which requirement of which RFC is proved by which script or test, and
// whether that proof holds.
//
// The requirements are a file, stack/tcp/testdata/requirements.txt, that says of itself how it
// is written: a line for each with its proof. Read reads it; the results of the scripts come
// from package script, those of Go tests from RunTests, which asks the go command; and Write
// makes a table in Markdown of it all. What was not run is shown as such, never as passed.
//
// The test of this package holds the file against the RFC's own numbers and against the tree:
// no requirement is missing or there twice, every script and every test that is named exists,
// and no MUST is without a proof.
package report
