// SPDX-License-Identifier: Apache-2.0
// Virtual sound cards, as in vsnd= of xl.cfg(5): a card has PCM devices, which have streams. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

// What a card sets for all that is below it, a PCM device for its streams, a stream for itself.
// Empty and 0: not given.
struct SoundParameters {
  std::vector<std::uint32_t> sample_rates = {};       // in Hz
  std::vector<std::string_view> sample_formats = {};  // libxl's names, which are constants
  std::uint32_t channels_min = 0;
  std::uint32_t channels_max = 0;
  std::uint32_t buffer_size = 0;  // in octets

  bool operator==(const SoundParameters&) const = default;
};

enum class SoundDirection : std::uint8_t { unset, playback, capture };

struct SoundStream {
  std::string unique_id;
  SoundDirection direction = SoundDirection::unset;
  SoundParameters parameters = {};

  bool operator==(const SoundStream&) const = default;
};

struct SoundPcm {
  std::string name;
  SoundParameters parameters = {};
  std::vector<SoundStream> streams = {};

  bool operator==(const SoundPcm&) const = default;
};

struct Vsnd {
  std::string backend;  // a domain; empty: domain 0
  std::string short_name;
  std::string long_name;
  SoundParameters parameters = {};
  std::vector<SoundPcm> pcms = {};

  bool operator==(const Vsnd&) const = default;
};

// `items`: the strings of one card's list, "CARD, ...", "PCM, ...", "STREAM, ...", each of which
// belongs to the last one above it. As in xl the identifiers may be in small letters, and a stream
// without a PCM device gets one. The formats have libxl's names or those of the manual
// ("float_le").
ParsedSpec<Vsnd> parse_vsnd(std::span<const std::string> items);

}  // namespace xl::config
