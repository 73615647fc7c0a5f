// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/source_text.hpp"

#include <algorithm>
#include <string>

#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

constexpr std::size_t tab_width = 8;
constexpr std::size_t window_columns = 90;                 // of the line that is shown
constexpr std::size_t lead_columns = 40;                   // shown before the caret in a cut line
constexpr std::size_t window_octets = 4 * window_columns;  // looked at on each side of the caret
constexpr std::string_view cut_mark = "...";

// A piece of a line as it is printed, and the columns at which what is meant begins and ends.
struct Picture {
  std::string cells;
  std::size_t columns = 0;
  std::size_t first = 0;
  std::size_t last = 0;
  std::string text_from(std::size_t begin, std::size_t end) const;
};

void append_character(Picture& picture, std::string_view character) {
  if (character == "\t") {
    const std::size_t width = tab_width - picture.columns % tab_width;
    picture.cells.append(width, ' ');
    picture.columns += width;
  } else if (utf8_length(character) == 0 || is_control(character.front())) {
    const std::string escaped = escape_octet(character.front());
    picture.cells += escaped;
    picture.columns += escaped.size();
  } else {
    picture.cells += character;
    ++picture.columns;
  }
}

// Octets [begin, end) of `line` are what is meant.
Picture draw(std::string_view line, std::size_t begin, std::size_t end) {
  Picture picture;
  for (std::size_t at = 0; at < line.size();) {
    if (at <= begin) picture.first = picture.columns;
    const std::size_t length = std::max<std::size_t>(utf8_length(line.substr(at)), 1);
    append_character(picture, line.substr(at, length));
    at += length;
    if (at <= end) picture.last = picture.columns;
  }
  if (begin >= line.size()) picture.first = picture.columns;
  picture.last = std::max(picture.last, picture.first + 1);
  return picture;
}

// Columns [begin, end) of the cells, which are UTF-8.
std::string Picture::text_from(std::size_t begin, std::size_t end) const {
  std::size_t at = 0;
  std::size_t column = 0;
  const std::string_view all = cells;
  const auto step_to = [&](std::size_t target) {
    for (; column < target && at < all.size(); ++column) {
      at += utf8_length(all.substr(at));
    }
    return at;
  };
  const std::size_t from = step_to(begin);
  return cells.substr(from, step_to(end) - from);
}

Snippet window(const Picture& picture, bool cut_left, bool cut_right) {
  std::size_t begin = 0;
  if (picture.columns > window_columns && picture.last > window_columns) {
    begin = std::min(picture.first - std::min(picture.first, lead_columns),
                     picture.columns - window_columns);
  }
  const std::size_t end = std::min(picture.columns, begin + window_columns);
  cut_left = cut_left || begin > 0;
  cut_right = cut_right || end < picture.columns;
  Snippet snippet;
  snippet.text = cut_left ? cut_mark : "";
  snippet.caret = static_cast<std::uint32_t>(snippet.text.size() + picture.first - begin);
  const std::size_t least_end = picture.first + 1;  // the caret itself is always shown
  const std::size_t caret_end = std::clamp(picture.last, least_end, std::max(end, least_end));
  snippet.width = static_cast<std::uint32_t>(caret_end - picture.first);
  snippet.text += picture.text_from(begin, end);
  snippet.text += cut_right ? cut_mark : "";
  return snippet;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

}  // namespace

SourceText::SourceText(std::string_view name, std::string_view text) : name_(name), text_(text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
}

SourceText::Line SourceText::line_around(std::size_t offset) const {
  const std::string_view before = text_.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  std::size_t end = std::min(text_.find('\n', offset), text_.size());
  if (end > begin && text_[end - 1] == '\r') --end;
  return {begin, end};
}

Location SourceText::locate(std::uint32_t offset, std::uint32_t length) const {
  const std::size_t at = std::min<std::size_t>(offset, text_.size());
  const Line line = line_around(at);
  const std::string_view meant =
      text_.substr(at, std::min<std::size_t>(length, std::max(line.end, at) - at));
  Location location;
  location.file = name_;
  location.line = static_cast<std::uint32_t>(
      1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(line.begin), '\n'));
  location.column =
      static_cast<std::uint32_t>(1 + count_characters(text_.substr(line.begin, at - line.begin)));
  location.length = static_cast<std::uint32_t>(std::max<std::size_t>(count_characters(meant), 1));
  return location;
}

Snippet SourceText::snippet(std::uint32_t offset, std::uint32_t length) const {
  const std::size_t at = std::min<std::size_t>(offset, text_.size());
  const Line line = line_around(at);
  std::size_t begin = line.begin;
  if (at - begin > window_octets) {
    begin = at - window_octets;
    while (begin < at && is_continuation(text_[begin])) ++begin;
  }
  const std::size_t end = std::min(line.end, at + window_octets);
  const std::size_t last = std::min<std::size_t>(std::max(end, at), at + length);
  const std::string_view piece =
      end > begin ? text_.substr(begin, end - begin) : std::string_view();
  return window(draw(piece, at - begin, last - begin), begin > line.begin, end < line.end);
}

}  // namespace xl::config
