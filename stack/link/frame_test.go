package link

import (
	"bytes"
	"testing"
)

// octets returns a frame's buffer as a device fills it: header, then n octets.
func octets(header []byte, n int) []byte {
	return append(append(make([]byte, 0, VnetLen+n), header...), make([]byte, n)...)
}

func TestHeaderIsReadAsVirtioHasIt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header []byte
		want   Offload
	}{
		{"nothing to say", []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Offload{}},
		{"needs checksum", []byte{1, 0, 0, 0, 0, 0, 20, 0, 16, 0},
			Offload{Checksum: ChecksumPartial, ChecksumStart: 20, ChecksumOffset: 16}},
		{"vouched for", []byte{2, 0, 0, 0, 0, 0, 20, 0, 16, 0}, Offload{Checksum: ChecksumVerified}},
		{"both: unfinished counts", []byte{3, 0, 0, 0, 0, 0, 20, 0, 6, 0},
			Offload{Checksum: ChecksumPartial, ChecksumStart: 20, ChecksumOffset: 6}},
		{"TCP over IPv4, length hint dropped", []byte{1, 1, 54, 0, 0xb4, 5, 20, 0, 16, 0},
			Offload{Checksum: ChecksumPartial, ChecksumStart: 20, ChecksumOffset: 16, SegmentSize: 1460}},
		{"TCP over IPv6 with CWR", []byte{0, 0x84, 0, 0, 0xa0, 5, 0, 0, 0, 0},
			Offload{SegmentSize: 1440, ECN: true}},
		{"UDP", []byte{0, 5, 0, 0, 1, 0, 0, 0, 0, 0}, Offload{SegmentSize: 1, UDP: true}},
		{"unknown flags are ignored", []byte{0xfc, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Offload{}},
	} {
		var f Frame
		if err := f.SetWire(octets(tt.header, 100)); err != nil || f.Offload != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, f.Offload, err, tt.want)
		}
		if f.Len() != 100 {
			t.Errorf("%s: packet of %d octets, want 100", tt.name, f.Len())
		}
	}
}

func TestContradictoryHeadersAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		frame []byte
		want  error
	}{
		{"no header", nil, errShortFrame},
		{"half a header", make([]byte, 9), errShortFrame},
		{"checksum field past the end", octets([]byte{1, 0, 0, 0, 0, 0, 83, 0, 16, 0}, 100), errVnetCsum},
		{"checksum start far away", octets([]byte{1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 100), errVnetCsum},
		{"segments of nothing", octets([]byte{0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 100), errVnetGSO},
		{"UDP fragmentation offload", octets([]byte{0, 3, 0, 0, 1, 0, 0, 0, 0, 0}, 100), errVnetGSO},
		{"unknown segmentation", octets([]byte{0, 9, 0, 0, 1, 0, 0, 0, 0, 0}, 100), errVnetGSO},
	} {
		var f Frame
		if err := f.SetWire(tt.frame); err != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	f := Frame{Buf: make([]byte, 200)}
	if err := f.SetRead(200 - Headroom + VnetLen + 1); err != errLongFrame {
		t.Errorf("more octets than the buffer: %v, want %v", err, errLongFrame)
	}
	if err := f.SetRead(VnetLen - 1); err != errShortFrame {
		t.Errorf("fewer octets than a header: %v, want %v", err, errShortFrame)
	}
}

func TestLastChecksumThatFits(t *testing.T) {
	var f Frame
	if err := f.SetWire(octets([]byte{1, 0, 0, 0, 0, 0, 82, 0, 16, 0}, 100)); err != nil {
		t.Errorf("checksum in the last two octets: %v", err)
	}
}

func TestPacketKeepsItsPlaceFromReadToWrite(t *testing.T) {
	f := Frame{Buf: make([]byte, FrameSize)}
	n := copy(f.ReadBuf(), octets([]byte{1, 1, 0, 0, 0xb4, 5, 20, 0, 16, 0}, 3000))
	f.Buf[Headroom] = 0x45
	if err := f.SetRead(n); err != nil {
		t.Fatal(err)
	}
	if f.Off != Headroom || f.Len() != 3000 || &f.Packet()[0] != &f.Buf[Headroom] {
		t.Errorf("packet at %d, %d octets", f.Off, f.Len())
	}
	w := f.Wire()
	if &w[VnetLen] != &f.Buf[Headroom] || len(w) != n {
		t.Error("Wire moved the packet")
	}
}

func TestWireNamesTheSegmentationOfTheVersion(t *testing.T) {
	for _, tt := range []struct {
		first byte
		o     Offload
		want  byte
	}{
		{0x45, Offload{SegmentSize: 1}, gsoTCP4},
		{0x60, Offload{SegmentSize: 1}, gsoTCP6},
		{0x60, Offload{SegmentSize: 1, ECN: true}, gsoTCP6 | gsoECN},
		{0x60, Offload{SegmentSize: 1, UDP: true}, gsoUDPL4},
		{0x45, Offload{UDP: true, ECN: true}, gsoNone},
	} {
		f := Frame{Buf: make([]byte, 100), Off: Headroom, End: 100, Offload: tt.o}
		f.Buf[Headroom] = tt.first
		if got := f.Wire()[1]; got != tt.want {
			t.Errorf("%x %+v: segmentation %#x, want %#x", tt.first, tt.o, got, tt.want)
		}
	}
}

func TestEmptyPacketHasAWireForm(t *testing.T) {
	f := Frame{Buf: make([]byte, Headroom), Off: Headroom, End: Headroom, Offload: Offload{SegmentSize: 9}}
	if w := f.Wire(); len(w) != VnetLen {
		t.Errorf("%d octets, want the header alone", len(w))
	}
}

func TestStaleOffloadDoesNotSurviveARead(t *testing.T) {
	f := Frame{Buf: make([]byte, FrameSize), Offload: Offload{
		Checksum: ChecksumPartial, ChecksumStart: 1, ChecksumOffset: 1, SegmentSize: 1, HeaderLen: 1, UDP: true, ECN: true,
	}}
	if err := f.SetRead(VnetLen + 20); err != nil || f.Offload != (Offload{}) {
		t.Errorf("%+v, %v; want nothing left", f.Offload, err)
	}
}

func TestFrameHotPathAllocatesNothing(t *testing.T) {
	f := Frame{Buf: make([]byte, FrameSize)}
	f.ReadBuf()[0] = vnetDataValid
	got := testing.AllocsPerRun(100, func() {
		if f.SetRead(1500) != nil || len(f.Wire()) != 1500 {
			t.Error("the frame changed its length")
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

// FuzzVnetHeader: no header makes SetWire panic; one that is accepted keeps the promises
// that doc.go makes and says the same again after Wire.
func FuzzVnetHeader(f *testing.F) {
	f.Add(octets([]byte{1, 1, 54, 0, 0xb4, 5, 20, 0, 16, 0}, 60))
	f.Add(octets([]byte{2, 0x84, 0, 0, 1, 0, 0, 0, 0, 0}, 60))
	f.Add(octets([]byte{0, 5, 0, 0, 1, 0, 0, 0, 0, 0}, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b) // Wire writes into it
		packet := bytes.Clone(b[min(len(b), VnetLen):])
		var fr Frame
		if fr.SetWire(b) != nil {
			return
		}
		if fr.Checksum == ChecksumPartial && int(fr.ChecksumStart)+int(fr.ChecksumOffset)+2 > fr.Len() {
			t.Fatalf("checksum outside the packet of %d octets: %+v", fr.Len(), fr.Offload)
		}
		if fr.Checksum != ChecksumPartial && (fr.ChecksumStart != 0 || fr.ChecksumOffset != 0) || fr.HeaderLen != 0 {
			t.Fatalf("fields kept that do not count: %+v", fr.Offload)
		}
		said := fr.Offload
		if fr.SegmentSize == 0 {
			said.UDP, said.ECN = false, false
		}
		if err := fr.SetWire(fr.Wire()); err != nil || fr.Offload != said || !bytes.Equal(fr.Packet(), packet) {
			t.Fatalf("after Wire: %+v, %v; want %+v", fr.Offload, err, said)
		}
	})
}
