package pcapng

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/weirnet/weir/stack/link"
	"github.com/weirnet/weir/stack/link/internal/testpacket"
	"github.com/weirnet/weir/stack/link/pipe"
)

// epoch has all its digits set, so that a wrong resolution shows.
var epoch = time.Unix(1_789_012_345, 678_901_234)

func fixedClock() time.Time { return epoch }

type read struct {
	info gopacket.CaptureInfo
	opts pcapgo.NgPacketOptions
	data []byte
}

// readAll reads a capture back with another implementation of the format.
func readAll(t *testing.T, b []byte) ([]read, *pcapgo.NgReader) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	var out []read
	for {
		data, info, opts, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			return out, r
		}
		if err != nil {
			t.Fatalf("packet %d: %v", len(out), err)
		}
		out = append(out, read{info, opts, data})
	}
}

// specs are one packet of each kind.
func specs() (out []testpacket.Spec) {
	for _, s := range []testpacket.Spec{
		{}, {V6: true}, {UDP: true}, {V6: true, UDP: true}, {Extensions: true}, {V6: true, Extensions: true},
	} {
		for _, n := range []int{0, 1, 2, 3, 1000, 20_000} {
			s.Payload, s.SegmentSize = bytes.Repeat([]byte{0xa5}, n), 0
			if n > 1400 {
				s.SegmentSize = 1400
			}
			for _, s.Checksum = range []link.Checksum{link.ChecksumInPacket, link.ChecksumPartial} {
				out = append(out, s)
			}
		}
	}
	return out
}

func TestWhatIsCapturedReadsBack(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, Options{Now: fixedClock, Comment: "all of it"})
	w.AddInterface("weir0", LinkRaw)
	w.AddInterface("wéir1", LinkRaw)
	all := specs()
	for i, s := range all {
		p := Packet{Interface: i % 2, Direction: Direction(i % 3), Time: epoch.Add(time.Duration(i))}
		if i == 5 {
			p.Comment = "look here"
		}
		if err := w.WriteFrame(p, testpacket.New(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, r := readAll(t, file.Bytes())
	if len(got) != len(all) || r.NInterfaces() != 2 {
		t.Fatalf("%d packets on %d interfaces, want %d on 2", len(got), r.NInterfaces(), len(all))
	}
	for i, g := range got {
		if g.info.InterfaceIndex != i%2 || !g.info.Timestamp.Equal(epoch.Add(time.Duration(i))) || g.info.Length != len(g.data) {
			t.Errorf("packet %d: %+v", i, g.info)
		}
		if dir := i % 3; (g.opts.Flags == nil) != (dir == 0) || dir != 0 && int(g.opts.Flags.Direction) != dir {
			t.Errorf("packet %d: flags %+v, want direction %d", i, g.opts.Flags, dir)
		}
		if i == 5 && (len(g.opts.Comments) != 1 || g.opts.Comments[0] != "look here") {
			t.Errorf("comments %q", g.opts.Comments)
		}
		if err := testpacket.Check(g.data); err != nil || !bytes.Equal(testpacket.Payload(g.data), all[i].Payload) {
			t.Errorf("packet %d: %v", i, err)
		}
	}
	i1, _ := r.Interface(1)
	if i1.Name != "wéir1" || i1.LinkType != 101 || i1.SnapLength != 0 {
		t.Errorf("interface %+v", i1)
	}
	if s := r.SectionInfo(); s.Application != "weir" || s.Comment != "all of it" {
		t.Errorf("section %+v", s)
	}
}

func TestCapturingDoesNotChangeTheFrame(t *testing.T) {
	w := NewWriter(io.Discard, Options{})
	w.AddInterface("x", LinkRaw)
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 100), Checksum: link.ChecksumPartial})
	before, was := bytes.Clone(f.Buf), *f
	w.WriteFrame(Packet{}, f)
	if !bytes.Equal(f.Buf, before) || f.Offload != was.Offload {
		t.Error("the frame was changed")
	}
}

func TestSnapLenKeepsTheFront(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, Options{SnapLen: 60})
	w.AddInterface("x", LinkRaw)
	spec := testpacket.Spec{Payload: make([]byte, 1000), Checksum: link.ChecksumPartial}
	w.WriteFrame(Packet{}, testpacket.New(spec))
	w.Close()
	got, _ := readAll(t, file.Bytes())
	spec.Checksum = link.ChecksumInPacket
	want := testpacket.New(spec).Packet()
	if len(got) != 1 || got[0].info.Length != len(want) || !bytes.Equal(got[0].data, want[:60]) {
		t.Errorf("captured %+v, want the first 60 octets with a finished checksum", got)
	}
}

func TestErrorsOfTheFileAreKept(t *testing.T) {
	r, pw := io.Pipe()
	full := errors.New("disk full")
	r.CloseWithError(full)
	w := NewWriter(pw, Options{})
	id := w.AddInterface("x", LinkRaw)
	if err := w.WritePacket(Packet{Interface: 7}, nil); !errors.Is(err, errInterface) {
		t.Errorf("WritePacket on no interface = %v", err)
	}
	if err := w.WritePacket(Packet{Interface: id}, []byte{0x45}); err != nil {
		t.Errorf("WritePacket = %v before anything was written", err)
	}
	for range 2 {
		if err := w.Flush(); !errors.Is(err, full) {
			t.Errorf("Flush = %v, want %v", err, full)
		}
	}
	if err := w.WritePacket(Packet{Interface: id}, []byte{0x45}); !errors.Is(err, full) {
		t.Errorf("WritePacket = %v, want %v", err, full)
	}
	w = NewWriter(io.Discard, Options{})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Close = %v, want os.ErrClosed", err)
	}
}

// slow is a device whose write is answered before it returns.
type slow struct {
	link.Device
	during func()
}

func (s *slow) WriteFrames(q int, frames [][]byte) (int, error) {
	n, err := s.Device.WriteFrames(q, frames)
	s.during()
	return n, err
}

func TestAnswerStandsBehindWhatItAnswers(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, Options{})
	a, b := pipe.New(pipe.Options{})
	s := &slow{Device: a}
	d := Wrap(s, w)
	question := testpacket.New(testpacket.Spec{Payload: []byte("question")}).Wire()
	answer := testpacket.New(testpacket.Spec{Payload: []byte("answer")}).Wire()
	s.during = func() {
		b.WriteFrames(0, [][]byte{answer})
		if n, err := d.ReadFrames(0, [][]byte{make([]byte, 2000)}, make([]int, 1)); n != 1 || err != nil {
			t.Errorf("ReadFrames = %d, %v", n, err)
		}
	}
	d.WriteFrames(0, [][]byte{question})
	d.Close()
	b.Close()
	w.Close()
	got, _ := readAll(t, file.Bytes())
	if len(got) != 2 || string(testpacket.Payload(got[0].data)) != "question" || string(testpacket.Payload(got[1].data)) != "answer" {
		t.Fatalf("captured %d packets in the wrong order", len(got))
	}
	if got[0].opts.Flags.Direction != 2 || got[1].opts.Flags.Direction != 1 {
		t.Errorf("directions %v, %v; want out, in", got[0].opts.Flags.Direction, got[1].opts.Flags.Direction)
	}
}

func TestStuckWriteDoesNotHoldTheCaptureInMemory(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, Options{})
	w.AddInterface("x", LinkRaw)
	stuck := w.reserve()
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 60_000)})
	n := maxQueued/60_000 + 10
	for range n {
		w.WriteFrame(Packet{}, f)
	}
	if w.queued > maxQueued || !stuck.late {
		t.Errorf("%d octets wait, want the place given up", w.queued)
	}
	p := Packet{Comment: "late"}
	w.add(stuck, &p, epoch, f)
	w.finish(stuck)
	w.Close()
	got, _ := readAll(t, file.Bytes())
	if len(got) != n+1 || len(got[n].opts.Comments) != 1 {
		t.Errorf("%d packets, want %d with the late one last", len(got), n+1)
	}
}

func TestOnlyFramesThatWereTakenAreCaptured(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, Options{})
	a, b := pipe.New(pipe.Options{QueueFrames: 2})
	d := Wrap(a, w)
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 100)}).Wire()
	if n, _ := d.WriteFrames(0, [][]byte{f, f, f}); n != 2 {
		t.Fatalf("took %d frames, want 2", n)
	}
	if _, ok := d.(link.Notifier); !ok {
		t.Error("the device below is a Notifier and the capture is not")
	}
	if _, ok := Wrap(&slow{Device: b}, w).(link.Notifier); ok {
		t.Error("the device below is no Notifier and the capture is")
	}
	d.Close()
	b.Close()
	w.Close()
	if got, _ := readAll(t, file.Bytes()); len(got) != 2 {
		t.Errorf("%d packets captured, want the 2 that were sent", len(got))
	}
}

func TestConcurrentCapture(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, Options{})
	a, b := pipe.New(pipe.Options{Offload: true})
	ca, cb := Wrap(a, w), Wrap(b, w)
	const each = 200
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 5000), SegmentSize: 1000, Checksum: link.ChecksumPartial}).Wire()
	var wg sync.WaitGroup
	for _, d := range []link.Device{ca, cb} {
		wg.Go(func() {
			for sent := 0; sent < each; {
				n, _ := d.WriteFrames(0, [][]byte{bytes.Clone(f)})
				sent += n
			}
		})
		wg.Go(func() {
			bufs, sizes := [][]byte{make([]byte, 70000), make([]byte, 70000)}, make([]int, 2)
			for got := 0; got < each; {
				n, _ := d.ReadFrames(0, bufs, sizes)
				got += n
			}
		})
	}
	wg.Wait()
	ca.Close()
	cb.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, _ := readAll(t, file.Bytes())
	if len(got) != 4*each {
		t.Errorf("%d packets, want %d", len(got), 4*each)
	}
	for _, g := range got {
		if err := testpacket.Check(g.data); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTsharkFindsNothingWrong has Wireshark's dissectors judge every kind of packet.
func TestTsharkFindsNothingWrong(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is not installed")
		}
		t.Skip("tshark is not installed")
	}
	name := filepath.Join(t.TempDir(), "capture.pcapng")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := NewWriter(file, Options{Now: fixedClock})
	w.AddInterface("weir0", LinkRaw)
	w.AddInterface("weir1", LinkRaw)
	all := specs()
	for i, s := range all {
		w.WriteFrame(Packet{Interface: i % 2, Direction: DirectionOut, Comment: "c"}, testpacket.New(s))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) []string {
		t.Helper()
		args = append([]string{"-r", name, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
			"-o", "udp.check_checksum:TRUE"}, args...)
		var complaints bytes.Buffer
		cmd := exec.Command(tshark, args...)
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("tshark: %v: %s", err, &complaints)
		}
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	}
	const bad = "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0"
	if lines := run("-Y", bad); len(lines) != 0 {
		t.Errorf("tshark objects:\n%s", strings.Join(lines, "\n"))
	}
	good := run("-Y", "(tcp.checksum.status == 1 || udp.checksum.status == 1) && frame.packet_flags_direction == 2")
	if len(good) != len(all) {
		t.Errorf("tshark finds %d packets right, want %d", len(good), len(all))
	}
	for i, l := range run("-T", "fields", "-e", "frame.interface_name", "-e", "frame.time_epoch", "-e", "frame.comment") {
		want := []string{"weir0", "weir1"}[i%2]
		if !strings.HasPrefix(l, want) || !strings.HasSuffix(l, "\tc") || !strings.Contains(l, "678901234") {
			t.Errorf("packet %d: tshark shows %q", i, l)
		}
	}
}

func BenchmarkCapture(b *testing.B) {
	w := NewWriter(io.Discard, Options{})
	w.AddInterface("x", LinkRaw)
	f := testpacket.New(testpacket.Spec{Payload: make([]byte, 1400), Checksum: link.ChecksumPartial})
	b.SetBytes(int64(f.Len()))
	b.ReportAllocs()
	for b.Loop() {
		w.WriteFrame(Packet{Direction: DirectionOut}, f)
	}
}
