/** What makes the bundles: this program and the packages that it is built of. Made by scripts/generate-generator.ts; not for editing. */

export interface GeneratorPart {
  readonly name: string;
  readonly version: string;
  /** SPDX licence expression; empty where the package states none. */
  readonly licence: string;
  /** Of the package as npm packs it: 128 hexadecimal digits. */
  readonly sha512: string;
  /** `name@version` of other parts. */
  readonly dependsOn: readonly string[];
}

export interface Generator {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly dependsOn: readonly string[];
  readonly parts: readonly GeneratorPart[];
}

export const generator: Generator = {
  name: "cloudlet-bundle",
  version: "0.1.0",
  licence: "Apache-2.0",
  dependsOn: ["@noble/curves@2.4.0", "@rgrove/parse-xml@5.0.0", "ajv@8.20.0", "commander@15.1.0", "handlebars@4.7.10", "js-yaml@5.5.0", "tar-stream@3.2.2"],
  parts: [
    { name: "@noble/curves", version: "2.4.0", licence: "MIT", sha512: "3f8ffadb3ae07c7df70a7784dc39f85a1255036d98514d1e479d702886a7e0d551bf0b00d189cf4f0586a4d6e9b9a712ba399214bbf2ce9cae477d3e7dbab613", dependsOn: ["@noble/hashes@2.4.0"] },
    { name: "@noble/hashes", version: "2.4.0", licence: "MIT", sha512: "5f95da5566480424fb1c76469b923b6505c3c0b1be6c65ee4ab310016fbb66f97cee1d6499cd5907555244972951fa14ac6429e05928c66e6467e32cf9a5be78", dependsOn: [] },
    { name: "@rgrove/parse-xml", version: "5.0.0", licence: "ISC", sha512: "4a01c5ca2b0d0244b665b33c482ae2526d4dd1bc4b8b3d0f38abe90de02dae72eb5da606d4f6b0370bb5ad28e613fbdc5476d9cd858d8153fac647a9e91e2e5e", dependsOn: [] },
    { name: "ajv", version: "8.20.0", licence: "MIT", sha512: "4e16e58be3a53a3fa230f60505505f2773a60809da4b2367e0cd6fcfd4fa1a46b926df5b6bf1c8479ea3a32eb9b58ea4c7f142179557341f35f58eff194ac118", dependsOn: ["fast-deep-equal@3.1.3", "fast-uri@3.1.9", "json-schema-traverse@1.0.0", "require-from-string@2.0.2"] },
    { name: "argparse", version: "3.0.4", licence: "PSF-2.0", sha512: "7f058add9ab6da5e172498f1e667011c68a4224fa126a3bedf674f9b426eafbfabb46e71d6c70e8d27dd4fd64a7961cfa6cc9afe5d071cae2d0c8981913aedbc", dependsOn: [] },
    { name: "b4a", version: "1.9.0", licence: "Apache-2.0", sha512: "7697dc17d7c3351ebef9cb615d1ebb8b2860a96cbd081a2e02f2168489edcc11ba72f2bf72720f8994230708bf66a8e30440c67e8343b660749138eba0e277a5", dependsOn: [] },
    { name: "bare-buffer", version: "3.7.1", licence: "Apache-2.0", sha512: "7088d99d23becbcf729155fdc7de8e56703ab46391067eef189fdedcf09b047304c9f30d1bf8b1cce4b494b6bab1a32559cb3af5b48a8f11720f08cad79d8e32", dependsOn: [] },
    { name: "bare-events", version: "2.9.2", licence: "Apache-2.0", sha512: "0083ca8a857bfd8ffc29f6770008633c9c4b2db638f52eb8626e436a4665520ef9a90893814abd8442681306b87947b33d4957472fe2e4da6c2afa3d8e02a6a0", dependsOn: [] },
    { name: "bare-fs", version: "4.8.5", licence: "Apache-2.0", sha512: "e606e8adb7782041699f2a808b00f4b65eac1fd7ef3ef21a2b685d33c0d753ec40331481ec1dc3dc3d38083db59384f90babb93b1c3789a8e405084d2f120d2a", dependsOn: ["bare-events@2.9.2", "bare-path@3.1.3", "bare-stream@2.13.4", "bare-url@2.5.8", "fast-fifo@1.3.2"] },
    { name: "bare-path", version: "3.1.3", licence: "Apache-2.0", sha512: "f2bf85554fe8e337059a9083a9ba806211c76ed5cf3fe73264aa3b0d119159cece2e536ce1331a4901295cbfec21dcf2106d0ced11f0e01ef160c1ab4dcfaaae", dependsOn: [] },
    { name: "bare-stream", version: "2.13.4", licence: "Apache-2.0", sha512: "3dcad0f2554b6e226c70d9b529ecfe629e06cb800719c375973c23bdfe4dc9b59e9fb56f12051fc9f9d7609db336a5a7cce7c26f501baba947f2d8b4b3242ccc", dependsOn: ["b4a@1.9.0", "streamx@2.28.1", "teex@1.0.1"] },
    { name: "bare-url", version: "2.5.8", licence: "Apache-2.0", sha512: "1b92937b9063eb3e69a88c5c9f7956948148bf4ae45db71cc744f45ee7fbb7845aa5f496bc595c55baf0617c45674d0f0b8969e7b382224eae5cffebdc66e90f", dependsOn: ["bare-buffer@3.7.1", "bare-path@3.1.3"] },
    { name: "commander", version: "15.1.0", licence: "MIT", sha512: "7209d0f3c4d1ad6702ee956ae3a47325544c92dbb75b645c6e7a227677c1b25d5b983081c094bfb9d7086692a80ab6c0618682aaccf5c990952206c8694ddd75", dependsOn: [] },
    { name: "events-universal", version: "1.0.1", licence: "Apache-2.0", sha512: "2d47797aebdb30ba70385f26ea2bcf09b85079289854d6fc56cd1f43c4235e8d094e4107a73f29c5d41fd204ad96d68fa70d0271af1bdfd2b1bcaf5c7ca46203", dependsOn: ["bare-events@2.9.2"] },
    { name: "fast-deep-equal", version: "3.1.3", licence: "MIT", sha512: "7f7a90f68432f63d808417bf1fd542f75c0b98a042094fe00ce9ca340606e61b303bb04b2a3d3d1dce4760dcfd70623efb19690c22200da8ad56cd3701347ce1", dependsOn: [] },
    { name: "fast-fifo", version: "1.3.2", licence: "MIT", sha512: "fddf6c7e8b38cb1ce9c240e4b8dee4d92a852ad60d9824f381f129cfcdb1df820cf7fcdcf0a1b14285e0d6588d0bf8b3a5133f30176de38366c78d595aa93e15", dependsOn: [] },
    { name: "fast-uri", version: "3.1.9", licence: "BSD-3-Clause", sha512: "852ff45addd86b4e37a0a5ecd2c231acca4a4084d784c2c8ad500a2978b8828cc60bdbfb6115959d7219ce334f4ced3633d05dc4b096a8ad7245780dce257225", dependsOn: [] },
    { name: "handlebars", version: "4.7.10", licence: "MIT", sha512: "3f954931533baa0067eaf8d7330f161bdb9523e9dc7f6a62ef68f875ee32cf96542cb8f6446a8b61a28e606b20cab562434b5e3ce565375b430825d7b45a972a", dependsOn: ["minimist@1.2.8", "neo-async@2.6.2", "source-map@0.6.1", "wordwrap@1.0.0"] },
    { name: "js-yaml", version: "5.5.0", licence: "MIT", sha512: "a5a36be0b14814f8de7929b035876b6fc15a7cb2c6fc2af601fdc68dbb072790b12231f8af47367a696645d02da4f02278fd60455ce4e9bb816d53f980130602", dependsOn: ["argparse@3.0.4"] },
    { name: "json-schema-traverse", version: "1.0.0", licence: "MIT", sha512: "34cf3f3fd9f75e35e12199f594b86415a0024ce5114178d6855e0103f4673aff31be0aadaa9017f483b89914314b1d51968e2dab37aa6f4b0e96bb9a3b2dddba", dependsOn: [] },
    { name: "minimist", version: "1.2.8", licence: "MIT", sha512: "db2c8047ca8190ddd8ba17896a7529582e54ddb6f9a2c0f2c0d07c4730d5943c031dba1c009bdeaaa8f5bbcf92543ee39164f8cafb070a95aaa96a80c5bd3308", dependsOn: [] },
    { name: "neo-async", version: "2.6.2", licence: "MIT", sha512: "61ddd4112e665824aa47ea8d4fddd2dd4a18524a8067d94b83c6bb83dae29ac5a66062bc7154e8038fec17746bb21772577b0018c5d5526a4c60ec3e74ba4ebb", dependsOn: [] },
    { name: "require-from-string", version: "2.0.2", licence: "MIT", sha512: "5dfd2759ee91b1ece214cbbe029f5b8a251b9a996ae92f7fa7eef0ed85cffc904786b5030d48706bebc0372b9bbaa7d9593bde53ffc36151ac0c6ed128bfef13", dependsOn: [] },
    { name: "source-map", version: "0.6.1", licence: "BSD-3-Clause", sha512: "52381aa6e99695b3219018334fb624739617513e3a17488abbc4865ead1b7303f9773fe1d0f963e9e9c9aa3cf565bab697959aa989eb55bc16396332177178ee", dependsOn: [] },
    { name: "streamx", version: "2.28.1", licence: "MIT", sha512: "cc4cd76f4b3909db3bb6a307eab859d3995c2727425a240f13088d9e056acecc4273deb6bcb638530fa65bba1df240c7db9f24d94cff26b3a474800085287d54", dependsOn: ["events-universal@1.0.1", "fast-fifo@1.3.2", "text-decoder@1.2.7"] },
    { name: "tar-stream", version: "3.2.2", licence: "MIT", sha512: "fbc35ea874634161fd9d8970a3681a980308999095cc8e14a04803a56a2b06df4e11fa698999feb9292c93340a3d6219ca38bf0bc7e958eeeeebd1b40d7d2d6e", dependsOn: ["b4a@1.9.0", "bare-fs@4.8.5", "fast-fifo@1.3.2", "streamx@2.28.1"] },
    { name: "teex", version: "1.0.1", licence: "MIT", sha512: "79813a88423ad8d8b51fca086bb2a50d4eae401b6aaf811a8e78b7c17eeba5f5c3f32b05c7ccf4f9dae2f8a5843d6a41b315dfc6ee7cc7fd23bd3553d5e90e4a", dependsOn: ["streamx@2.28.1"] },
    { name: "text-decoder", version: "1.2.7", licence: "Apache-2.0", sha512: "be52f2b5791e3f8c6f12ada8b477897d24084725b1a3fa191846d7aed10417d1e79ab765cb9f6c51bcd9fd08325ae2d81dcb421f1145e2d45064d43d93ad04c5", dependsOn: ["b4a@1.9.0"] },
    { name: "wordwrap", version: "1.0.0", licence: "MIT", sha512: "82f57324594fc9c29ce5d64de323e43fcc3b0dcdfb06d3f5c9ccc49de39be2eab7e295d972faed45399657c5be5267be5c2c4a81b8ccfa77af93214f3326dde1", dependsOn: [] },
  ],
};
