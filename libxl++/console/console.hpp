// SPDX-License-Identifier: Apache-2.0
// Console: one domain's console, whoever serves its ring: what it printed (given to those who come
// later), who listens, and the input on its way to it.
//
// Thread rule: pump() from one thread only, the event thread; it runs the listeners. Everything
// else from any thread. A listener is never run before attach() has returned to a caller that is
// not the event thread itself.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/error.hpp"
#include "libxl++/console/callback_list.hpp"

namespace xl::console {

inline constexpr std::size_t input_limit = 16 << 10;  // bytes that the guest has not taken yet

class Console {
 public:
  using Listeners = CallbackList<std::span<const std::byte>>;
  using Output = Listeners::Function;  // empty: the console ended

  virtual ~Console() = default;

  struct Progress {
    bool notify = false;  // tell the guest
    bool more =
        false;  // there is more to do without an event: call again, after others had their turn
  };
  // Moves a bounded amount both ways. After an event of the guest, attach(), write() or end().
  virtual Progress pump() = 0;

  // What was printed before comes first, at the next pump().
  virtual Listeners::Handle attach(Output output) = 0;
  // All or nothing. Errors: busy when the guest does not take its input; not_found once ended.
  virtual Result<void> write(std::span<const std::byte> input) = 0;

  // The domain is about to go: what is its is let go of before this returns, and listeners hear of
  // it at the next pump().
  virtual void end() = 0;

  // Of a domain that has shut down, before end().
  struct Ending {
    bool complete = true;  // who serves the ring has all of it, and so has who is attached
    std::string text;      // the end of what it printed
  };
  // Not complete: ask again soon, nothing tells when it is.
  virtual Ending ending() { return {true, text()}; }

  virtual std::string text() const = 0;      // what is known that it printed; also once ended
  virtual std::string log_path() const = 0;  // empty: none is kept

 protected:
  using Entry = std::shared_ptr<Listeners::Entry>;
};

// Behind what waits for the guest already, which is never more than input_limit. All or nothing.
// Errors: busy.
Result<void> queue_input(std::string& waiting, std::span<const std::byte> input);

}  // namespace xl::console
