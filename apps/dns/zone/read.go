package zone

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/weirnet/weir/apps/dns/msg"
)

// ReadOptions bounds what a master file may ask for. The zero value is the defaults.
type ReadOptions struct {
	MaxOctets   int64 // of all files together, and of what $GENERATE makes; 4 GiB
	MaxRecords  int   // 50,000,000
	MaxIncludes int   // files that $INCLUDE may open, one in another to a depth of 7; 1000
	// Open opens what $INCLUDE names, made absolute where the file was read by its path. Without it,
	// [OpenFile] and [LoadFile] open files of the system, and [NewReader] refuses $INCLUDE.
	Open func(path string) (io.ReadCloser, error)
}

func (o ReadOptions) withDefaults() ReadOptions {
	if o.MaxOctets <= 0 {
		o.MaxOctets = 4 << 30
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = 50e6
	}
	if o.MaxIncludes <= 0 {
		o.MaxIncludes = 1000
	}
	return o
}

// Position is where in which file something stands.
type Position struct {
	File string
	Line int
}

// String returns file:line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Reader reads the records of a master file (RFC 1035 §5, RFC 2308 §4) one after the other.
type Reader struct {
	o      ReadOptions
	p      *dns.ZoneParser
	files  []*source // the one being read last
	closed []file    // by the last call of the parser
	budget budget
	path   string // of the zone's own file
	buf    []byte
	n      int
	err    error
	last   Position

	soaTTL uint32 // the minimum of the SOA record, for records that have no TTL at all
	noTTL  bool   // some had none
	sawSOA bool
	large  bool   // the last record had a TTL above maxTTL
	given  uint32 // that it had
	unset  uint32 // stands for no TTL while the parser knows of none
}

// maxTTL is the largest TTL. One above counts as 0 (RFC 2181 §8).
const maxTTL = 1<<31 - 1

// realTTL returns what a TTL counts as.
func realTTL(ttl uint32) uint32 {
	if ttl > maxTTL {
		return 0
	}
	return ttl
}

// NewReader returns a reader of r, a master file of that name, for a zone.
func NewReader(r io.Reader, name string, origin msg.Name, o ReadOptions) *Reader {
	rd := &Reader{o: o.withDefaults(), path: name}
	rd.budget = budget{rd.o.MaxOctets, rd.o.MaxIncludes}
	src := newSource(r, name, &rd.budget)
	rd.files = []*source{src}
	rd.last = Position{File: name}
	rd.p = dns.NewZoneParser(src, origin.String(), name)
	// Above what a TTL can be (RFC 2181 §8), and none that a file could mean to have.
	rd.unset = rand.Uint32() | (maxTTL + 1)
	rd.p.SetDefaultTTL(rd.unset)
	rd.p.SetIncludeAllowed(rd.o.Open != nil)
	rd.p.SetIncludeFS(includes{rd})
	return rd
}

// OpenFile returns a reader of a file.
func OpenFile(path string, origin msg.Name, o ReadOptions) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // which names the file
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	if o.Open == nil {
		o.Open = func(path string) (io.ReadCloser, error) { return os.Open(path) }
	}
	rd := NewReader(f, abs, origin, o)
	rd.files[0].name, rd.last.File = path, path
	return rd, nil
}

// includes opens the files that $INCLUDE names.
type includes struct{ rd *Reader }

// file makes a source an fs.File for the parser, which wants no more than to read it.
type file struct {
	*source
	rd   *Reader
	path string // as the parser knows it
}

// Stat implements fs.File.
func (file) Stat() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }

// Close ends a file that was included.
func (f file) Close() error {
	for i, s := range f.rd.files {
		if s == f.source && i > 0 {
			f.rd.files = f.rd.files[:i]
			f.rd.closed = append(f.rd.closed, f)
			break
		}
	}
	return f.source.Close()
}

// Open implements fs.FS.
func (in includes) Open(name string) (fs.File, error) {
	rd := in.rd
	if rd.o.Open == nil {
		return nil, errors.New("$INCLUDE is not allowed here")
	}
	if rd.budget.includes--; rd.budget.includes < 0 {
		return nil, fmt.Errorf("more than %d files included", rd.o.MaxIncludes)
	}
	opened := name
	// The parser takes the slash off an absolute path, for fs.FS knows none.
	if path := string(filepath.Separator) + name; filepath.IsAbs(rd.path) {
		name = path
	}
	f, err := rd.o.Open(name)
	if err != nil {
		return nil, err
	}
	src := newSource(f, name, &rd.budget)
	rd.files = append(rd.files, src)
	return file{src, rd, opened}, nil
}

// Close closes the files that are open.
func (rd *Reader) Close() error {
	var err error
	for _, f := range rd.files {
		err = errors.Join(err, f.Close())
	}
	rd.files = rd.files[:1]
	return err
}

// Position returns where the record is that Next returned last.
func (rd *Reader) Position() Position { return rd.last }

// Err returns why Next returned false, nil at the end of the file. It is one line that begins with file:line.
func (rd *Reader) Err() error { return rd.err }

// MinimumTTL reports whether a record had no TTL, neither of its own nor from $TTL or the record before, and the SOA
// record's minimum was taken.
func (rd *Reader) MinimumTTL() bool { return rd.noTTL }

// Next returns the next record, false at the end or after an error.
func (rd *Reader) Next() (msg.RR, bool) {
	if rd.err != nil {
		return msg.RR{}, false
	}
	rd.closed = rd.closed[:0]
	rr, ok := rd.p.Next()
	if top := rd.files[len(rd.files)-1]; ok || rd.p.Err() != nil || top.err != nil {
		rd.last = Position{top.name, top.at()}
	}
	if !ok {
		rd.end()
		return msg.RR{}, false
	}
	if rd.n++; rd.n > rd.o.MaxRecords {
		return rd.fail("more than %d records", rd.o.MaxRecords)
	}
	out, err := rd.convert(rr)
	if err != nil {
		return rd.fail("%s %s: %v", rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], err)
	}
	rd.large = out.TTL > maxTTL && out.TTL != rd.unset
	if err := rd.ttl(&out); err != nil {
		return rd.fail("%v", err)
	}
	return out, true
}

func (rd *Reader) fail(format string, args ...any) (msg.RR, bool) {
	rd.err = fmt.Errorf("%v: %s", rd.last, oneLine(fmt.Sprintf(format, args...)))
	return msg.RR{}, false
}

// end takes over the parser's error, in our words about where it is.
func (rd *Reader) end() {
	err := rd.p.Err()
	for _, f := range rd.files {
		if f.err != nil && f.err != io.EOF {
			err = f.err
			rd.last = Position{f.name, f.at()}
		}
	}
	for _, f := range rd.closed { // the parser closes a file before it tells what is wrong in it
		if err != nil && strings.HasPrefix(err.Error(), f.path+": ") {
			rd.last = Position{f.name, f.at()}
			break
		}
	}
	if err != nil {
		rd.fail("%s", plain(err.Error()))
	}
}

// plain takes the parser's own idea of file and line off a message.
func plain(s string) string {
	if i := strings.Index(s, "dns: "); i >= 0 {
		s = s[i+len("dns: "):]
	}
	if i := strings.LastIndex(s, " at line: "); i >= 0 {
		s = s[:i]
	}
	if m := unopened.FindStringSubmatch(s); m != nil {
		return "$INCLUDE " + m[1] + ": " + m[2]
	}
	return inWords.Replace(s)
}

// unopened is what the parser says of a file to include that cannot be opened: its name two or three times.
var unopened = regexp.MustCompile("^failed to open `(.*?)'(?: as `.*?')?: (.*?)(?:: \".*\")?$")

// inWords says what the parser has to say of the data that are wrong most often.
var inWords = strings.NewReplacer("bad A A:", "not an IPv4 address:", "bad AAAA AAAA:", "not an IPv6 address:")

func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}

// convert makes a record of ours of one of the parser's, and refuses those that have no rdata
// where their type wants some, which the parser takes for a dynamic update's.
func (rd *Reader) convert(rr dns.RR) (msg.RR, error) {
	if empty(rr) {
		return msg.RR{}, errors.New("the record's data are missing")
	}
	if rd.buf == nil {
		rd.buf = make([]byte, 255+10+65535)
	}
	n, err := dns.PackRR(rr, rd.buf, 0, nil, false)
	if err != nil {
		return msg.RR{}, errors.New(plain(err.Error()))
	}
	return msg.UnpackRR(rd.buf[:n])
}

// empty reports whether nothing was written where rdata should be.
func empty(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A:
		return len(rr.A) == 0
	case *dns.AAAA:
		return len(rr.AAAA) == 0
	case *dns.NS:
		return rr.Ns == ""
	case *dns.APL, *dns.NULL, *dns.RFC3597:
		return false
	}
	return strings.TrimSpace(strings.TrimPrefix(rr.String(), rr.Header().String())) == ""
}

// ttl gives a record without a TTL the minimum of the SOA record, as servers have always done.
func (rd *Reader) ttl(rr *msg.RR) error {
	soa, isSOA := rr.SOA()
	if isSOA && !rd.sawSOA {
		rd.sawSOA, rd.soaTTL = true, soa.Minimum
	}
	if rr.TTL != rd.unset {
		rd.given, rr.TTL = rr.TTL, realTTL(rr.TTL)
		return nil
	}
	if !rd.sawSOA {
		return fmt.Errorf("%v %v: no TTL is given, not by $TTL, a record before or the SOA record", rr.Name, rr.Type)
	}
	rr.TTL, rd.noTTL = realTTL(rd.soaTTL), true
	return nil
}

// Load reads a zone. A record that is not of the zone is left out, as [Check] would tell.
func Load(rd *Reader, origin msg.Name) (*Zone, error) {
	defer rd.Close()
	b := NewBuilder(origin)
	for {
		rr, ok := rd.Next()
		if !ok {
			break
		}
		if err := b.Add(rr); err != nil && !errors.Is(err, ErrOutOfZone) {
			return nil, fmt.Errorf("%v: %w", rd.Position(), err)
		}
	}
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	return b.Zone()
}

// LoadFile reads a zone from a file. It takes what [Zone.Verify] has something against: see [LoadVerified].
func LoadFile(path string, origin msg.Name, o ReadOptions) (*Zone, error) {
	rd, err := OpenFile(path, origin, o)
	if err != nil {
		return nil, err
	}
	z, err := Load(rd, origin)
	if err != nil && !strings.HasPrefix(err.Error(), path) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return z, err
}

// LoadVerified reads a zone from a file, unless [Check] finds errors in it: then the first of them is the error, with its
// file and line.
func LoadVerified(path string, origin msg.Name, o ReadOptions) (*Zone, error) {
	z, err := LoadFile(path, origin, o)
	if err != nil {
		return nil, err
	}
	if err = z.Verify(); err == nil {
		return z, nil
	}
	problems, _ := CheckFile(path, origin, o, time.Now()) // for the line
	for _, p := range problems {
		if p.Error {
			return nil, fmt.Errorf("%v: %s", p.Pos, p.Text)
		}
	}
	return nil, fmt.Errorf("%s: %w", path, err)
}
