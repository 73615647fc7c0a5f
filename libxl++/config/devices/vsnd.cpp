// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vsnd.hpp"

#include <limits>

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

enum class Level : std::uint8_t { card, pcm, stream };

// The four that the manual calls otherwise come last: hints name libxl's.
constexpr Choice<std::string_view> formats[] = {{"s8", "s8"},
                                                {"u8", "u8"},
                                                {"s16_le", "s16_le"},
                                                {"s16_be", "s16_be"},
                                                {"u16_le", "u16_le"},
                                                {"u16_be", "u16_be"},
                                                {"s24_le", "s24_le"},
                                                {"s24_be", "s24_be"},
                                                {"u24_le", "u24_le"},
                                                {"u24_be", "u24_be"},
                                                {"s32_le", "s32_le"},
                                                {"s32_be", "s32_be"},
                                                {"u32_le", "u32_le"},
                                                {"u32_be", "u32_be"},
                                                {"f32_le", "f32_le"},
                                                {"f32_be", "f32_be"},
                                                {"f64_le", "f64_le"},
                                                {"f64_be", "f64_be"},
                                                {"iec958_subframe_le", "iec958_subframe_le"},
                                                {"iec958_subframe_be", "iec958_subframe_be"},
                                                {"mu_law", "mu_law"},
                                                {"a_law", "a_law"},
                                                {"ima_adpcm", "ima_adpcm"},
                                                {"mpeg", "mpeg"},
                                                {"gsm", "gsm"},
                                                {"float_le", "f32_le"},
                                                {"float_be", "f32_be"},
                                                {"float64_le", "f64_le"},
                                                {"float64_be", "f64_be"}};
constexpr Choice<SoundDirection> directions[] = {{"p", SoundDirection::playback},
                                                 {"c", SoundDirection::capture}};
constexpr Choice<Level> levels[] = {
    {"card", Level::card}, {"pcm", Level::pcm}, {"stream", Level::stream}};

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return small;
}

// As xl takes these words: in any case.
template <typename Choices>
auto read_in_any_case(const Piece& word, std::string_view what, const Choices& choices,
                      SpecFindings& findings) {
  const std::string small = in_small_letters(word.text);
  const bool known = std::any_of(std::begin(choices), std::end(choices),
                                 [&](const auto& choice) { return choice.name == small; });
  return read_choice(known ? Piece{small, word.place} : word, what, choices, findings);
}

// The pieces of "a;b;c".
template <typename Take>
void for_each_part(const Piece& list, Take take) {
  for (std::size_t begin = 0; begin <= list.text.size();) {
    const std::size_t end = std::min(list.text.find(';', begin), list.text.size());
    take(list.part(begin, end - begin).trimmed());
    begin = end + 1;
  }
}

constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();

template <typename Device>
void read_rates(const SpecItem& item, Device& device, SpecFindings& findings) {
  device.parameters.sample_rates.clear();
  for_each_part(*item.value, [&](const Piece& part) {
    if (const auto rate = read_natural({item.whole, item.key, part}, 1, most, findings)) {
      device.parameters.sample_rates.push_back(static_cast<std::uint32_t>(*rate));
    }
  });
}

template <typename Device>
void read_formats(const SpecItem& item, Device& device, SpecFindings& findings) {
  device.parameters.sample_formats.clear();
  for_each_part(*item.value, [&](const Piece& part) {
    if (const auto format = read_in_any_case(part, "a sample format", formats, findings)) {
      device.parameters.sample_formats.push_back(*format);
    }
  });
}

template <typename Device, std::uint32_t SoundParameters::*Member>
void read_number(const SpecItem& item, Device& device, SpecFindings& findings) {
  if (const auto number = read_natural(item, 1, most, findings)) {
    device.parameters.*Member = static_cast<std::uint32_t>(*number);
  }
}

template <typename Device, std::string Device::*Member>
void read_text(const SpecItem& item, Device& device, SpecFindings& findings) {
  if (auto text = read_string(item, findings)) device.*Member = std::move(*text);
}

void read_direction(const SpecItem& item, SoundStream& stream, SpecFindings& findings) {
  if (const auto direction =
          read_in_any_case(*item.value, "a stream's type", directions, findings)) {
    stream.direction = *direction;
  }
}

template <typename Device>
std::vector<SpecKey<Device>> with_parameters(std::vector<SpecKey<Device>> own) {
  const SpecKey<Device> common[] = {
      {"sample-rates", read_rates<Device>},
      {"sample-formats", read_formats<Device>},
      {"channels-min", read_number<Device, &SoundParameters::channels_min>},
      {"channels-max", read_number<Device, &SoundParameters::channels_max>},
      {"buffer-size", read_number<Device, &SoundParameters::buffer_size>}};
  own.insert(own.end(), std::begin(common), std::end(common));
  return own;
}

// What a stream has in the end, if it says nothing of its own.
SoundParameters below(const SoundParameters& above, const SoundParameters& own) {
  SoundParameters whole = own;
  if (whole.channels_min == 0) whole.channels_min = above.channels_min;
  if (whole.channels_max == 0) whole.channels_max = above.channels_max;
  return whole;
}

class CardReader {
 public:
  explicit CardReader(SpecFindings& findings) : findings_(findings) {}

  void read(const std::string& item, std::uint32_t number);
  Vsnd take() && { return std::move(card_); }

 private:
  void read_level(Level level, const std::string& keys, const Piece& whole);
  void check_channels(const SoundParameters& parameters, const Piece& whole);

  Vsnd card_;
  SpecFindings& findings_;
};

void CardReader::read(const std::string& item, std::uint32_t number) {
  const Piece whole = Piece::whole(item, number);
  if (!check_characters(whole, findings_)) return;
  const std::size_t comma = std::min(item.find(','), item.size());
  const Piece identifier = whole.part(0, comma).trimmed();
  const auto level = read_in_any_case(identifier, "CARD, PCM or STREAM", levels, findings_);
  if (!level) return;
  // Blanks in the identifier's place: what is found in the rest keeps its place.
  std::string keys = item;
  keys.replace(0, comma, comma, ' ');
  read_level(*level, keys, whole);
}

void CardReader::read_level(Level level, const std::string& keys, const Piece& whole) {
  static const auto card_keys =
      with_parameters<Vsnd>({{"backend", read_text<Vsnd, &Vsnd::backend>},
                             {"short-name", read_text<Vsnd, &Vsnd::short_name>},
                             {"long-name", read_text<Vsnd, &Vsnd::long_name>}});
  static const auto pcm_keys =
      with_parameters<SoundPcm>({{"name", read_text<SoundPcm, &SoundPcm::name>}});
  static const auto stream_keys = with_parameters<SoundStream>(
      {{"unique-id", read_text<SoundStream, &SoundStream::unique_id>}, {"type", read_direction}});
  SpecFindings found;
  const std::span<const std::string> words(&keys, 1);
  if (level == Level::card) {
    read_items(words, "a sound card", card_keys, card_, found);
    check_channels(card_.parameters, whole);
  } else if (level == Level::pcm) {
    SoundPcm& pcm = card_.pcms.emplace_back();
    read_items(words, "a PCM device", pcm_keys, pcm, found);
    check_channels(below(card_.parameters, pcm.parameters), whole);
  } else {
    if (card_.pcms.empty()) card_.pcms.emplace_back();
    SoundPcm& pcm = card_.pcms.back();
    SoundStream& stream = pcm.streams.emplace_back();
    read_items(words, "a stream", stream_keys, stream, found);
    check_channels(below(below(card_.parameters, pcm.parameters), stream.parameters), whole);
  }
  findings_.take(std::move(found), whole.place.word);
}

void CardReader::check_channels(const SoundParameters& parameters, const Piece& whole) {
  if (parameters.channels_max == 0 || parameters.channels_min <= parameters.channels_max) return;
  findings_.error(whole.place,
                  fmt::format("channels-min={} is more than channels-max={}",
                              parameters.channels_min, parameters.channels_max),
                  "what is not given comes from the item above");
}

}  // namespace

ParsedSpec<Vsnd> parse_vsnd(std::span<const std::string> items) {
  SpecFindings findings;
  CardReader reader(findings);
  for (std::size_t i = 0; i < items.size(); ++i) {
    reader.read(items[i], static_cast<std::uint32_t>(i));
  }
  return std::move(findings).finish(std::move(reader).take());
}

}  // namespace xl::config
