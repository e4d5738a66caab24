package link

// Device is what carries frames: a TUN device, an end of a pipe, a switch port.
//
// Its methods name only types of the language, so that a device needs no import of
// weir to be one: package tun satisfies it structurally, and so may a user's own.
// That is also why offload metadata travels in band: every frame, in and out,
// begins with the ten octets of a virtio-net header (see Offload), all zero where
// there is nothing to say, and the packet follows it. A device without
// offloads writes a zero header on read and skips the header on write.
//
// Reads of one queue come from one goroutine at a time. Writes may come from
// several at once, on any queue.
type Device interface {
	// Name returns the device's name, for messages and listings.
	Name() string

	// MTU returns the largest packet, in octets from the network header on, that
	// the medium takes whole. It may change while the device runs. A
	// super-segment may be larger: see FeatureHostTSO4.
	MTU() int

	// Features returns the virtio feature bits (FeatureCsum …) that hold for the device.
	Features() uint64

	// Queues returns how many receive queues there are, at least one.
	Queues() int

	// ReadFrames waits for at least one frame on the queue and fills bufs with as
	// many as are there, one frame in each; sizes[i] is set to the octets of
	// bufs[i] that were filled, virtio-net header included. It returns how many
	// frames it read. A frame too large for its buffer is dropped and counted by
	// the device. After Close it returns an error that satisfies
	// errors.Is(err, net.ErrClosed) or os.ErrClosed.
	ReadFrames(queue int, bufs [][]byte, sizes []int) (int, error)

	// WriteFrames sends the frames in order and returns how many it took. Fewer
	// than all with a nil error means that the device is full: the caller keeps
	// the rest and tries again when the device calls what OnWritable was given,
	// or, where it has no OnWritable, the device waits inside WriteFrames instead
	// and never is full. The frames are the caller's again when it returns.
	// An error says that frames[n] was not sent and never will be.
	WriteFrames(queue int, frames [][]byte) (int, error)

	// Close stops the device and makes pending reads return.
	Close() error
}

// Notifier is a Device that can be full. A device where both ends are weir's must
// be one: two stacks that wait inside WriteFrames for each other would wait for ever.
type Notifier interface {
	// OnWritable sets the function that the device calls, from any goroutine, when
	// it has room again after WriteFrames took fewer frames than it was given. The
	// call may come before that WriteFrames has returned, and no lock of the
	// device's is held during it. One short write is answered by one call, however
	// much room there is; a function that finds the device full again is called again.
	OnWritable(func())
}

// Poller is a Device that can be asked for frames without waiting. Who reads it may then look
// again for a moment before ReadFrames puts it to sleep.
type Poller interface {
	// PollFrames is ReadFrames, but returns 0 and nil where there is no frame. An error comes again
	// from ReadFrames.
	PollFrames(queue int, bufs [][]byte, sizes []int) (int, error)
}

// The virtio feature bits (Virtual I/O Device 1.2 §5.1.3) that a Device may announce.
// "Guest" bits say what frames that are read may hold; "host" bits say what frames
// that are written may ask for.
const (
	FeatureCsum      uint64 = 1 << 0  // written frames may leave the transport checksum to the device
	FeatureGuestCsum uint64 = 1 << 1  // read frames may come with the transport checksum unfinished or vouched for
	FeatureGuestTSO4 uint64 = 1 << 7  // read frames may be TCP super-segments over IPv4
	FeatureGuestTSO6 uint64 = 1 << 8  // the same over IPv6
	FeatureHostTSO4  uint64 = 1 << 11 // written frames may be TCP super-segments over IPv4
	FeatureHostTSO6  uint64 = 1 << 12 // the same over IPv6
	FeatureGuestUSO4 uint64 = 1 << 54 // read frames may be UDP super-segments over IPv4
	FeatureGuestUSO6 uint64 = 1 << 55 // the same over IPv6
	FeatureHostUSO   uint64 = 1 << 56 // written frames may be UDP super-segments
)
