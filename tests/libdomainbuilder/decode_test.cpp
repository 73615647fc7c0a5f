// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/decode.hpp"

#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libdomainbuilder/image/report_json.hpp"
#include "tests/libdomainbuilder/fixtures/images.hpp"

namespace xl::build {
namespace {

using namespace fixture;

Decoded decode(std::span<const std::byte> file) {
  auto buffer = ImageBuffer::create(file.size());
  std::copy(file.begin(), file.end(), (*buffer)->writable().begin());
  return decode_image("k", *buffer);
}

// The one sentence; empty if the image is fine.
std::string fault_of(std::span<const std::byte> file) {
  const Decoded decoded = decode(file);
  if (!decoded.fault) {
    return {};
  }
  EXPECT_EQ(decoded.report.problems, std::vector<std::string>{describe(*decoded.fault)});
  return describe(*decoded.fault);
}

std::string fault_of(const ElfSpec& spec) {
  return fault_of(make_elf(spec));
}

bool mentions(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

struct ElfCase {
  unsigned elf_class;
  std::uint16_t machine;
};

TEST(DecodeTest, EveryKindOfX86Elf) {
  for (const ElfCase& each : {ElfCase{32, EM_386}, {32, EM_X86_64}, {64, EM_X86_64}}) {
    ElfSpec spec = pvh_spec(each.elf_class);
    spec.machine = each.machine;
    const Decoded decoded = decode(make_elf(spec));
    ASSERT_FALSE(decoded.fault) << describe(*decoded.fault);
    EXPECT_EQ(decoded.report.container, Container::elf);
    EXPECT_EQ(decoded.report.elf_class, each.elf_class);
    EXPECT_EQ(decoded.report.boot_abis, std::vector{BootAbi::pvh});
    ASSERT_EQ(decoded.report.segments.size(), 1u);
    EXPECT_EQ(decoded.report.segments[0].physical, GuestPhys(0x100000));
    EXPECT_EQ(decoded.report.segments[0].memory_size, Bytes(5 * 4096));
  }
}

class BzImageTest : public testing::TestWithParam<Compression> {};

TEST_P(BzImageTest, HoldsTheKernel) {
  const Blob kernel = pvh_kernel();
  const Blob file = make_bzimage({.payload = make_payload(GetParam(), kernel)});
  const Decoded decoded = decode(file);
  ASSERT_FALSE(decoded.fault) << describe(*decoded.fault);
  EXPECT_EQ(decoded.report.container, Container::bzimage);
  EXPECT_EQ(decoded.report.compression, GetParam());
  EXPECT_EQ(decoded.report.boot_protocol, "2.15");
  EXPECT_EQ(decoded.report.kernel_version, "6.1.0-test");
  EXPECT_TRUE(std::ranges::equal(decoded.elf->bytes(), kernel));
}

TEST_P(BzImageTest, LiesAboutTheSize) {
  const Blob kernel = pvh_kernel();
  for (const long delta : {-4096L, -1L, 1L, 4096L}) {
    Blob payload = make_payload(GetParam(), kernel);
    poke(payload, payload.size() - 4,
         static_cast<std::uint32_t>(static_cast<long>(kernel.size()) + delta));
    const std::string fault = fault_of(make_bzimage({.payload = payload}));
    EXPECT_TRUE(mentions(fault, std::string("payload that "))) << fault;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BzImageTest,
                         testing::Values(Compression::gzip, Compression::bzip2, Compression::lzma,
                                         Compression::xz, Compression::lzo, Compression::lz4,
                                         Compression::zstd),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST(DecodeTest, GzippedElf) {
  const Decoded decoded = decode(compress(Compression::gzip, pvh_kernel()));
  ASSERT_FALSE(decoded.fault) << describe(*decoded.fault);
  EXPECT_EQ(decoded.report.container, Container::compressed_elf);
}

TEST(DecodeTest, UncompressedPayload) {
  EXPECT_EQ(fault_of(make_bzimage({.payload = pvh_kernel()})), "");
}

TEST(DecodeTest, DeclaredSizeHasACap) {
  Blob payload = make_payload(Compression::xz, pvh_kernel());
  poke(payload, payload.size() - 4, 0xfffffff0u);
  const std::string fault = fault_of(make_bzimage({.payload = payload}));
  EXPECT_TRUE(mentions(fault, "declares to expand to 4294967280 bytes")) << fault;
}

TEST(DecodeTest, PayloadOutsideTheFile) {
  Blob file = make_bzimage({.payload = make_payload(Compression::gzip, pvh_kernel())});
  for (const std::uint32_t value : {0x10000000u, 0xffffffffu}) {
    for (const std::size_t field : {0x248u, 0x24cu}) {
      Blob bad = file;
      poke(bad, field, value);
      EXPECT_TRUE(mentions(fault_of(bad), "is truncated")) << fault_of(bad);
    }
  }
}

TEST(DecodeTest, TinyPayloads) {
  for (std::size_t size = 0; size < 24; ++size) {
    Blob payload = make_payload(Compression::lz4, pvh_kernel());
    payload.resize(size);
    EXPECT_NE(fault_of(make_bzimage({.payload = payload})), "") << size;
  }
}

TEST(DecodeTest, OldBootProtocols) {
  EXPECT_TRUE(mentions(fault_of(make_bzimage({.protocol = 0x0207})), "older than 2.08"));
}

// Each header field's every prefix: an error, never a crash (the sanitizers watch), and never an
// image.
TEST(DecodeTest, TruncatedAtEveryByte) {
  const Blob bzimage = make_bzimage({.payload = make_payload(Compression::lz4, pvh_kernel())});
  for (const Blob& whole : {pvh_kernel(32), pvh_kernel(64)}) {
    const std::size_t headers = 256;
    for (std::size_t size = 0; size < whole.size(); size += size < headers ? 1 : 97) {
      EXPECT_NE(fault_of(std::span(whole).first(size)), "") << size;
    }
  }
  for (std::size_t size = 0; size + 128 < bzimage.size(); size += size < 0x300 ? 1 : 13) {
    EXPECT_NE(fault_of(std::span(bzimage).first(size)), "") << size;
  }
}

TEST(DecodeTest, ProgramHeadersThatLie) {
  constexpr std::size_t phoff = 32, phentsize = 54, phnum = 56, first = 64;
  struct Lie {
    std::size_t at;
    std::uint64_t value;
    unsigned width;
    std::string_view words;
  };
  const Lie lies[] = {
      {phoff, ~0ULL, 8, "lies outside the file"},
      {phoff, ~0ULL - 20, 8, "lies outside the file"},
      {phoff, 1 << 30, 8, "lies outside the file"},
      {phentsize, 57, 2, "which cannot be"},
      {phnum, 0xffff, 2, "which cannot be"},
      {phnum, 0, 2, "nothing to load"},
      {first + 8, ~0ULL, 8, "is truncated"},   // offset
      {first + 32, ~0ULL, 8, "is truncated"},  // size in the file
      {first + 32, 0x10000, 8, "is truncated"},
      {first + 40, 1, 8, "larger in the file"},       // size in memory
      {first + 24, ~0ULL - 4096, 8, "does not fit"},  // physical address
  };
  for (const Lie& lie : lies) {
    Blob bad = pvh_kernel();
    lie.width == 8 ? poke(bad, lie.at, lie.value)
                   : poke(bad, lie.at, static_cast<std::uint16_t>(lie.value));
    EXPECT_TRUE(mentions(fault_of(bad), lie.words)) << lie.at << ": " << fault_of(bad);
  }
}

TEST(DecodeTest, OverlappingSegments) {
  ElfSpec spec = pvh_spec();
  spec.loads.push_back({0x104fff, Blob(16, std::byte{1})});  // the first has five pages
  EXPECT_EQ(fault_of(spec),
            "'k' has overlapping segments: 0x100000-0x105000 and 0x104fff-0x10500f; "
            "copy or build it anew");
  spec.loads.back().physical = 0x105000;
  EXPECT_EQ(fault_of(spec), "");
  spec.loads.back().physical = 0xffff0;
  EXPECT_EQ(fault_of(spec), "");
  spec.loads.back().physical = 0xffff1;
  EXPECT_TRUE(mentions(fault_of(spec), "overlapping"));
}

TEST(DecodeTest, EmptySegmentsAreNone) {
  ElfSpec spec = pvh_spec();
  spec.loads.push_back({0x100000, {}});
  const Decoded decoded = decode(make_elf(spec));
  EXPECT_FALSE(decoded.fault);
  EXPECT_EQ(decoded.loads.size(), 1u);
  spec.loads.erase(spec.loads.begin());
  EXPECT_NE(fault_of(spec), "");
}

TEST(DecodeTest, NotesInSections) {
  ElfSpec spec = pvh_spec();
  spec.notes_in_section = true;
  EXPECT_EQ(fault_of(spec), "");
}

TEST(DecodeTest, NotesOfEitherAlignment) {
  ElfSpec spec = pvh_spec();
  spec.note_alignment = 8;
  spec.notes = make_notes(
      {text_note(NoteType::guest_os, "x"), number_note(NoteType::phys32_entry, 0x100000, 8)}, 8);
  EXPECT_EQ(fault_of(spec), "");
}

TEST(DecodeTest, EntryNotesThatLie) {
  struct Lie {
    std::uint64_t value;
    unsigned width;
    std::string_view words;
  };
  for (const Lie& lie : {Lie{0xfffff, 4, "where none of its segments lies"},
                         {0x105000, 4, "where none of its segments lies"},
                         {0x1'0010'0000, 8, "which a 32-bit entry cannot reach"},
                         {0x100000, 3, "of 3 bytes where 4 or 8 are due"}}) {
    ElfSpec spec = pvh_spec();
    spec.notes = make_notes({number_note(NoteType::phys32_entry, lie.value, lie.width)});
    const Decoded decoded = decode(make_elf(spec));
    ASSERT_TRUE(decoded.fault);
    EXPECT_TRUE(mentions(decoded.fault->message, lie.words)) << decoded.fault->message;
    EXPECT_FALSE(decoded.report.can_boot(BootAbi::pvh));
  }
}

TEST(DecodeTest, MalformedNotes) {
  ElfSpec spec = pvh_spec();
  poke(spec.notes, 4, 0x10000u);
  EXPECT_TRUE(mentions(fault_of(spec), "has malformed ELF notes: its note 0"));
}

TEST(DecodeTest, NoPvhEntry) {
  ElfSpec spec = pvh_spec();
  spec.notes.clear();
  EXPECT_EQ(fault_of(spec),
            "'k' has no PVH entry (ELF note XEN_ELFNOTE_PHYS32_ENTRY); build the kernel with "
            "CONFIG_PVH=y");
}

// What Linux 4.9 has: facts of a real one, see docs/adr/0023.
TEST(DecodeTest, ClassicPvhIsRecognised) {
  ElfSpec spec = pvh_spec();
  spec.notes = make_notes(
      {number_note(NoteType::entry, 0xffffffff81000000, 8),
       number_note(NoteType::hypercall_page, 0xffffffff81001000, 8),
       text_note(NoteType::features,
                 "!writable_page_tables|pae_pgdir_above_4gb|writable_descriptor_tables|auto_"
                 "translated_physmap|supervisor_mode_kernel"),
       number_note(NoteType::supported_features, 0x90d, 4)});
  const Decoded decoded = decode(make_elf(spec));
  EXPECT_EQ(decoded.report.boot_abis, (std::vector{BootAbi::classic_pvh, BootAbi::pv}));
  EXPECT_TRUE(
      mentions(decoded.fault->message, "only that of classic PVH, which is not supported yet"));
}

TEST(DecodeTest, PvIsRecognised) {
  ElfSpec spec = pvh_spec();
  spec.notes = make_notes({number_note(NoteType::entry, 0xffffffff81000000, 8)});
  const Decoded decoded = decode(make_elf(spec));
  EXPECT_EQ(decoded.report.boot_abis, std::vector{BootAbi::pv});
  EXPECT_TRUE(mentions(decoded.fault->message, "only that of PV"));
}

TEST(DecodeTest, FilesThatAreNoKernel) {
  const auto elf = [](std::uint16_t machine, std::uint16_t type) {
    ElfSpec spec = pvh_spec();
    spec.machine = machine;
    spec.type = type;
    return make_elf(spec);
  };
  Blob arm_image(4096);
  poke(arm_image, 0x38, 0x644d5241u);
  Blob big_endian = pvh_kernel();
  big_endian[EI_DATA] = std::byte{ELFDATA2MSB};
  const std::pair<Blob, std::string_view> cases[] = {
      {{}, "'k' is empty"},
      {to_blob("kernel = \"vmlinuz\"\nmemory = 64\n"), "'k' is a text file, not a kernel"},
      {to_blob("#!/bin/sh\n"), "'k' is a script"},
      {to_blob("070701000000"), "'k' is a cpio archive (an initrd?), not a kernel"},
      {compress(Compression::gzip, to_blob("070701000000")),
       "'k' is a gzip file whose content is a cpio archive (an initrd?), not a kernel"},
      {compress(Compression::zstd, to_blob("070701000000")),
       "'k' is a bare zstd file (an initrd?)"},
      {to_blob("\x1f\x8b nonsense"), "'k' is a damaged gzip file"},
      {arm_image, "'k' is an aarch64 kernel"},
      {elf(EM_AARCH64, ET_EXEC), "'k' is an ELF file for aarch64"},
      {elf(EM_X86_64, ET_REL), "'k' is a relocatable object (a kernel module?)"},
      {elf(EM_X86_64, ET_CORE), "'k' is a core dump"},
      {elf(EM_386, ET_EXEC), "'k' is a 64-bit ELF file for i386"},
      {big_endian, "'k' is a big-endian ELF file"},
      {to_blob("\x7f"
               "ELF"),
       "'k' is truncated within its ELF header"},
      {Blob(100), "'k' is neither an ELF file nor a bzImage"},
      {to_blob("MZ\x90 whatever\x01"), "'k' is a PE file"},
      {make_bzimage({.payload = Blob(100)}), "'k' has a payload in a format"},
      {make_bzimage({.payload = make_payload(Compression::xz, to_blob("no ELF"))}),
       "'k' has a xz payload that holds no ELF file"},
  };
  for (const auto& [file, words] : cases) {
    EXPECT_TRUE(fault_of(file).starts_with(words)) << fault_of(file) << " / " << words;
  }
}

TEST(ReportJsonTest, HasEverything) {
  const nlohmann::json json = decode(pvh_kernel()).report;
  EXPECT_EQ(json["container"], "ELF");
  EXPECT_EQ(json["machine"], "x86-64");
  EXPECT_EQ(json["boot_abis"], nlohmann::json::array({"PVH"}));
  EXPECT_EQ(json["notes"][0]["name"], "PHYS32_ENTRY");
  EXPECT_EQ(json["notes"][0]["number"], 0x100000);
  EXPECT_EQ(json["segments"][0]["memory_bytes"], 5 * 4096);
  EXPECT_TRUE(json["problems"].empty());
}

// A name that is not UTF-8 must not make the serializer throw when the wire form is made.
TEST(ReportJsonTest, HostileStringsAreEscaped) {
  ElfSpec spec = pvh_spec();
  append(spec.notes, make_notes({text_note(NoteType::features, "\xff\xfe|\"x")}));
  const nlohmann::json json = decode(make_elf(spec)).report;
  EXPECT_NO_THROW(json.dump());
}

}  // namespace
}  // namespace xl::build
