// SPDX-License-Identifier: Apache-2.0
// The small hypercalls: set_timer_op, vm_assist, those that are for others and refuse, and
// multicall's entries.
#pragma once

#include "hypervisor/core/call.hpp"

namespace hyp {

namespace timer_op {

// The vcpu's singleshot timer by another name. 32-bit guests give the time in two halves. 0: stop;
// the past: at once.
template <typename P>
std::int64_t set(const Call<P>& call) {
  const std::uint64_t wanted =
      call.wide() ? call.arg(0) : (call.arg(1) << 32 | static_cast<std::uint32_t>(call.arg(0)));
  if (wanted == 0) {
    call.parts.core.timers.cancel(call.vcpu.singleshot);
  } else {
    const bool past = static_cast<std::int64_t>(wanted) < 0;
    call.parts.core.timers.arm(call.vcpu.singleshot, past ? 0 : wanted);
  }
  return 0;
}

}  // namespace timer_op

namespace privileged {

// For the domain that controls Xen. The version of the structure is looked at before the caller's
// privilege. All three begin with command and version.
template <typename P>
std::int64_t refuse(const Call<P>& call, std::uint32_t version) {
  const Result<std::uint32_t> has =
      call.template read<std::uint32_t>(call.arg(0) + sizeof(std::uint32_t));
  return negative(!has ? has.error() : *has == version ? Errno::perm : Errno::acces);
}

}  // namespace privileged

// For PV domains, which alone have page tables that Xen keeps.
namespace mmuext_op {

template <typename P>
std::int64_t refuse(const Call<P>& call, std::uint16_t of) {
  if (of == 0) {
    return negative(Errno::perm);
  }
  const bool known = of != call.domain().id.value() &&
                     (of == DOMID_SELF || call.parts.core.domains.find(DomId(of)) != nullptr);
  return negative(known ? Errno::inval : Errno::srch);
}

}  // namespace mmuext_op

// For device models. The buffers are read before anything is asked of the domain.
namespace dm_op {

template <typename P>
std::int64_t refuse(const Call<P>& call, std::uint16_t of, std::uint32_t count,
                    std::uint64_t buffers) {
  constexpr std::uint32_t most = 2;
  if (count > most) {
    return negative(Errno::toobig);
  }
  for (std::uint32_t word = 0; word < 2 * count; ++word) {  // a handle and a size each
    if (!call.read_word(buffers + word * call.pointer_size())) {
      return negative(Errno::fault);
    }
  }
  if (count == 0) {
    return negative(Errno::nodata);
  }
  if (of == 0) {
    return negative(Errno::inval);  // no HVM domain
  }
  return negative(call.parts.core.domains.find(DomId(of)) != nullptr ? Errno::perm : Errno::srch);
}

}  // namespace dm_op

namespace vm_assist {

// The one assist that is open to an HVM container.
template <typename P>
std::int64_t dispatch(const Call<P>& call, std::uint64_t command, std::uint64_t type) {
  if (type != VMASST_TYPE_runstate_update_flag) {
    return negative(Errno::inval);
  }
  switch (command) {
    case VMASST_CMD_enable: call.domain().runstate_flag.store(true); return 0;
    case VMASST_CMD_disable: call.domain().runstate_flag.store(false); return 0;
    default: return negative(Errno::nosys);
  }
}

}  // namespace vm_assist

namespace multicall {

inline constexpr std::uint64_t entries_per_call = 32;
inline constexpr unsigned words = 8;  // op, result, six arguments

// `run` makes one hypercall. An entry that is not finished is written back with the arguments to go
// on with.
template <typename P, typename Run>
std::int64_t dispatch(const Call<P>& call, Run&& run) {
  const std::uint64_t word = call.pointer_size();
  const std::uint64_t count = static_cast<std::uint32_t>(call.arg(1));
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = call.arg(0) + words * word;
    HypercallFrame inner;
    inner.wide = call.wide();
    Fields<P> fields(call, call.arg(0));
    const Result<std::uint64_t> number = fields.next_word();
    bool ok = number && fields.next_word();
    for (std::uint64_t& arg : inner.args) {
      const Result<std::uint64_t> value = fields.next_word();
      ok = ok && value;
      arg = value ? *value : 0;
    }
    if (!ok) {
      return negative(Errno::fault);
    }
    inner.number = *number;
    inner.result = static_cast<std::uint64_t>(inner.number == __HYPERVISOR_multicall
                                                  ? negative(Errno::inval)
                                                  : run(Call<P>{call.parts, call.vcpu, inner}));
    if (inner.restart) {
      for (unsigned n = 0; n < inner.args.size(); ++n) {
        if (!call.write_word(call.arg(0) + (2 + n) * word, inner.args[n])) {
          return negative(Errno::fault);
        }
      }
      call.frame.args[1] = count - i;
      return call.again();
    }
    if (!call.write_word(call.arg(0) + word, inner.result)) {
      return negative(Errno::fault);
    }
    call.frame.args[0] = at;
    if (i + 1 == entries_per_call && i + 1 < count) {
      call.frame.args[1] = count - i - 1;
      return call.again();
    }
  }
  return 0;
}

}  // namespace multicall

}  // namespace hyp
