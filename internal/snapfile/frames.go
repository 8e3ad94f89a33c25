package snapfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"

	"github.com/klauspost/compress/zstd"
)

const (
	frameText = 1 << 20   // text in a frame, about: it ends with the line that reaches this
	maxText   = 1 << 30   // text in a frame at most: one line can be a group of many million members
	maxBlock  = 128 << 10 // text in a block of a frame, by the format (RFC 8878, section 3.1.1.2)
)

// A frame is a zstd frame as it stands in the file.
type frame struct {
	offset int64
	data   []byte
	sum    bool // it has a checksum; the trailer alone has none
	err    error
}

var (
	errCut      = errors.New("it ends in the middle of a frame")
	errNoFrame  = errors.New("there is no zstd frame")
	errBadFrame = errors.New("a frame is not as it should be")
)

// frames splits r into frames. The last one has the error that ended the
// stream, if one did. Their data is in buffers from pool, where there is one:
// whoever gets a frame puts it back.
func frames(r io.Reader, pool bufferPool) iter.Seq[frame] {
	return func(yield func(frame) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		var offset int64
		for {
			f, err := readFrame(in, pool.get())
			if err == io.EOF {
				return
			}
			f.offset, f.err = offset, err
			offset += int64(len(f.data))
			if !yield(f) || err != nil {
				return
			}
		}
	}
}

// readFrame reads one frame into buf, or io.EOF where none begins. It takes no more
// memory than a small multiple of what it has read.
func readFrame(in *bufio.Reader, buf []byte) (f frame, err error) {
	f.data = buf
	start, err := in.Peek(zstd.HeaderMaxSize)
	if len(start) == 0 || err != nil && err != io.EOF {
		return f, err
	}
	var h zstd.Header
	if err := h.Decode(start); err != nil || h.Skippable {
		if len(start) < 4 || err == io.ErrUnexpectedEOF {
			return f, errCut
		}
		return f, errNoFrame
	}
	f.sum = h.HasCheckSum
	read := func(n int) (part []byte) {
		at := len(f.data)
		f.data = slices.Grow(f.data, n)[:at+n]
		if err == nil {
			if _, err = io.ReadFull(in, f.data[at:]); err == io.EOF || err == io.ErrUnexpectedEOF {
				err = errCut
			}
		}
		return f.data[at:]
	}
	err = nil
	read(h.HeaderSize)
	blocks := uint64(0)
	for last := false; err == nil && !last; {
		b := read(3)
		size := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		blocks++
		last = size&1 != 0
		n := int(size >> 3)
		if kind := size >> 1 & 3; kind == 1 { // one byte, repeated
			n = 1
		} else if err == nil && (kind == 3 || n > maxBlock) {
			return f, errBadFrame
		}
		read(n)
	}
	if h.HasCheckSum {
		read(4)
	}
	if err == nil && h.HasFCS && (h.FrameContentSize > blocks*maxBlock || h.FrameContentSize > maxText) {
		return f, errBadFrame // before anyone sets so much memory aside
	}
	return f, err
}

// plainFrame is a frame of the text as it is, without a checksum: of each text
// there is exactly one such frame, so that no byte of it can change unseen.
func plainFrame(text []byte) []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0} // magic; one segment, content size of 4 bytes
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	block := uint32(len(text))<<3 | 1 // last, raw
	b = append(b, byte(block), byte(block>>8), byte(block>>16))
	return append(b, text...)
}

func newCompressor() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(frameText))
}

func newDecompressor() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxText))
}

// ahead is how many frames for each core are worked on, or wait for their turn. With
// one, all wait for whichever takes long.
const ahead = 2

// inParallel yields f of each element of in, in order, while it works on those
// that follow.
func inParallel[A, B any](in iter.Seq[A], f func(A) B) iter.Seq[B] {
	return func(yield func(B) bool) {
		results := make(chan chan B, ahead*runtime.GOMAXPROCS(0))
		stop := make(chan struct{})
		go func() {
			defer close(results)
			for a := range in {
				result := make(chan B, 1)
				select {
				case results <- result:
					go func() { result <- f(a) }()
				case <-stop:
					return
				}
			}
		}()
		defer func() {
			close(stop)
			for result := range results { // until nobody reads or works any more
				<-result
			}
		}()
		for result := range results {
			if !yield(<-result) {
				return
			}
		}
	}
}

// A bufferPool lends buffers of about a frame's text, so that a file of any
// size is written or read in the same few.
type bufferPool chan []byte

func newBufferPool() bufferPool { return make(bufferPool, 2*ahead*runtime.GOMAXPROCS(0)) }

// get returns an empty buffer, with room for a frame's text if it was used before.
func (p bufferPool) get() []byte {
	select {
	case b := <-p:
		return b[:0]
	default:
		return nil
	}
}

// put takes back a buffer that nobody uses any more. Large ones are let go.
func (p bufferPool) put(b []byte) {
	if cap(b) > 4*frameText {
		return
	}
	select {
	case p <- b:
	default:
	}
}
