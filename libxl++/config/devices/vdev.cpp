// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vdev.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

struct Family {
  std::string_view prefix;
  Vdev::Kind kind;
  std::uint32_t last_disk;
  std::uint32_t last_partition;
};
constexpr Family families[] = {{"xvd", Vdev::Kind::xen, (1u << 20) - 1, 255},
                               {"hd", Vdev::Kind::ide, 3, 63},
                               {"sd", Vdev::Kind::scsi, 15, 15}};
constexpr const Family& xen_family = families[0];

constexpr std::uint64_t too_many = std::numeric_limits<std::uint32_t>::max();

std::uint32_t encode(const Vdev& vdev) {
  const std::uint32_t disk = vdev.disk;
  const std::uint32_t partition = vdev.partition;
  switch (vdev.kind) {
    case Vdev::Kind::ide: return (disk < 2 ? 3u : 22u) << 8 | (disk & 1) << 6 | partition;
    case Vdev::Kind::scsi: return 8u << 8 | disk << 4 | partition;
    case Vdev::Kind::number: return vdev.number;
    case Vdev::Kind::xen: break;
  }
  const bool fits = disk <= 15 && partition <= 15;
  return fits ? 202u << 8 | disk << 4 | partition : 1u << 28 | disk << 8 | partition;
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// a is 0, z is 25, aa is 26, as the columns of a spreadsheet.
std::uint64_t disk_of_letters(std::string_view letters) {
  std::uint64_t disk = 0;
  for (const char letter : letters) {
    disk = disk * 26 + static_cast<std::uint64_t>(letter - 'a') + 1;
    if (disk > too_many) return too_many;
  }
  return disk - 1;
}

std::string letters_of_disk(std::uint32_t disk) {
  std::string letters;
  for (std::uint32_t rest = disk + 1; rest != 0; rest = (rest - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('a' + (rest - 1) % 26));
  }
  return letters;
}

// Decimal digits without a leading 0 (but "0" itself). None for anything else.
std::optional<std::uint64_t> plain_number(std::string_view digits) {
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return {};
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  if (at != end || digits.front() == '-') return {};
  return error == std::errc() && number < too_many ? number : too_many;
}

Unexpected<Error> not_a_name(std::string_view name) {
  return fail(ErrorId::device_wrong,
              fmt::format("'{}' is not the name of a virtual disk", printable(name)),
              "write xvda, xvda1 or d0p1 (sda and hda are known too), or the number that xenstore "
              "is to hold");
}

Result<Vdev> in_family(const Family& family, std::string_view name, std::uint64_t disk,
                       std::uint64_t partition) {
  if (disk > family.last_disk) {
    const std::string last = std::string(family.prefix) + letters_of_disk(family.last_disk);
    const std::string also =
        family.kind == Vdev::Kind::xen ? fmt::format(" (d{})", family.last_disk) : "";
    return fail(
        ErrorId::device_wrong,
        fmt::format("'{}' is a disk beyond the last one, {}{}", printable(name), last, also),
        family.kind == Vdev::Kind::xen ? "" : "xvd* names have no such limit");
  }
  if (partition > family.last_partition) {
    return fail(ErrorId::device_wrong, fmt::format("'{}' is a partition beyond the last one, {}",
                                                   printable(name), family.last_partition));
  }
  Vdev vdev{family.kind, static_cast<std::uint32_t>(disk), static_cast<std::uint32_t>(partition),
            0};
  vdev.number = encode(vdev);
  return vdev;
}

Result<Vdev> parse_letters(const Family& family, std::string_view name) {
  const std::string_view rest = name.substr(family.prefix.size());
  std::size_t count = 0;
  while (count < rest.size() && is_letter(rest[count])) ++count;
  if (count == 0) return not_a_name(name);
  const std::string_view digits = rest.substr(count);
  std::uint64_t partition = 0;
  if (!digits.empty()) {
    const std::optional<std::uint64_t> number = plain_number(digits);
    if (!number || *number == 0) return not_a_name(name);
    partition = *number;
  }
  return in_family(family, name, disk_of_letters(rest.substr(0, count)), partition);
}

// d<disk>[p<partition>]
Result<Vdev> parse_d(std::string_view name) {
  const std::size_t p = name.find('p');
  const std::optional<std::uint64_t> disk = plain_number(name.substr(1, p - 1));
  const std::optional<std::uint64_t> partition =
      p == std::string_view::npos ? 0 : plain_number(name.substr(p + 1));
  if (!disk || !partition) return not_a_name(name);
  return in_family(xen_family, name, *disk, *partition);
}

Result<Vdev> parse_bare_number(std::string_view name) {
  const Number number = parse_number(name);
  if (number.fault != Number::Fault::none || number.negative || name.front() == '+') {
    return not_a_name(name);
  }
  constexpr std::uint32_t most = std::numeric_limits<std::int32_t>::max();
  if (number.huge || number.magnitude > most) {
    return fail(
        ErrorId::device_wrong,
        fmt::format("'{}' is out of range: device numbers go up to {}", printable(name), most));
  }
  return Vdev{Vdev::Kind::number, 0, 0, static_cast<std::uint32_t>(number.magnitude)};
}

}  // namespace

Result<Vdev> parse_vdev(std::string_view name) {
  if (name.empty()) return not_a_name(name);
  for (const Family& family : families) {
    if (name.starts_with(family.prefix)) return parse_letters(family, name);
  }
  const bool digit_next = name.size() > 1 && name[1] >= '0' && name[1] <= '9';
  if (name.front() == 'd' && digit_next) return parse_d(name);
  return parse_bare_number(name);
}

}  // namespace xl::config
