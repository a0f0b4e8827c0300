#include "sim/certificate/certificate.h"

#include "kube/deleter.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace stillpoint::sim {

namespace {

using kube::Deleter;
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

constexpr long kHour = 3600;
constexpr long kYear = 365 * 24 * kHour;

void Check(bool good) {
  if (!good) throw std::runtime_error("OpenSSL could not make a certificate");
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

BioPtr Reader(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

void AddExtension(X509* certificate, int kind, const std::string& value) {
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  Check(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void AddName(X509* certificate, const char* field, const std::string& value) {
  if (value.empty()) return;
  Check(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), field, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) == 1);
}

// The serial number is random: clients remember certificates of earlier starts by it, and OpenSSL
// finds certificates by it.
CertificatePtr Draft(EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  Check(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  const NumberPtr serial(BN_new());
  Check(serial && BN_rand(serial.get(), 120, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1);
  Check(BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get())) != nullptr);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kYear);
  Check(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

KeyPair Seal(X509* certificate, EVP_PKEY* key, EVP_PKEY* signer) {
  Check(X509_sign(certificate, signer, EVP_sha256()) > 0);
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  const BioPtr key_pem(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_X509(certificate_pem.get(), certificate) == 1);
  Check(PEM_write_bio_PrivateKey(key_pem.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return {Text(certificate_pem.get()), Text(key_pem.get())};
}

}  // namespace

KeyPair MakeAuthority(const std::string& common_name) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  Check(key != nullptr);
  const CertificatePtr certificate = Draft(key.get());
  AddName(certificate.get(), "CN", common_name);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate.get(), NID_key_usage, "critical,keyCertSign");
  return Seal(certificate.get(), key.get(), key.get());
}

KeyPair MakeCertificate(const KeyPair& authority, const std::string& common_name,
                        const std::string& organization, const std::string& alternative_names) {
  const CertificatePtr issuer(
      PEM_read_bio_X509(Reader(authority.certificate_pem).get(), nullptr, nullptr, nullptr));
  const KeyPtr signer(
      PEM_read_bio_PrivateKey(Reader(authority.key_pem).get(), nullptr, nullptr, nullptr));
  const KeyPtr key(EVP_EC_gen("P-256"));
  Check(issuer && signer && key);
  const CertificatePtr certificate = Draft(key.get());
  AddName(certificate.get(), "O", organization);
  AddName(certificate.get(), "CN", common_name);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  const bool server = !alternative_names.empty();
  AddExtension(certificate.get(), NID_ext_key_usage, server ? "serverAuth" : "clientAuth");
  if (server) AddExtension(certificate.get(), NID_subject_alt_name, alternative_names);
  return Seal(certificate.get(), key.get(), signer.get());
}

}  // namespace stillpoint::sim
