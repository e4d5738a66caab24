// Package impair makes a link behave like a bad network: slow, far, lossy, out of order.
//
// # Theory of operation
//
// [Model] is one direction of such a network as a function of state, time and frame:
// Push takes a frame in, Deadline says when the next comes out, Pop gets it out. It
// does not ask for the time, so a simulation drives it in virtual time;
// [Wrap] drives two of them in real time around a device.
//
// Every kind of decision has its own generator, all seeded from Config.Seed: the same
// seed and the same frames at the same times give the same result, and turning one
// impairment on does not change what another decides for a packet.
//
// # The way of a packet
//
// A packet that is pushed goes through these steps, in this order:
//
//  1. Cut. A super-segment becomes the packets that would be on a wire, unless
//     Config.KeepSegments, so that all that follows acts on single packets.
//  2. Loss: first the burst model (Config.Burst), then independent loss
//     (Config.Loss). A lost packet is gone and counted by which of them it was.
//  3. Duplicate. A second copy goes the rest of the way right behind the first. It is
//     not lost and not duplicated again.
//  4. Corrupt. The checksum is completed and then one bit of the packet, any bit
//     from the network header on, is flipped; nobody vouches for it any more.
//  5. Rate. The packet waits until those before it have been sent and then takes
//     its length divided by Config.Rate. When more than Config.QueueBytes would
//     wait, it is dropped at the tail. Lengths count from the network header on.
//  6. Delay. It arrives Config.Delay later, give or take Config.Jitter. Unless
//     Config.JitterReorders it waits for the one before it, so that jitter alone does
//     not change the order. A packet chosen by Config.Reorder skips this step:
//     it overtakes what is being delayed, as with Linux's netem.
//
// # What is promised
//
//   - Frames are copied in and lent out; each copy is given back to the model's pool
//     and InUse counts those that are not.
//   - What does not come out is counted under the reason why.
//   - Push and Pop allocate nothing once the model has been that full before.
package impair
