const list = (text: string): string[] => text.trim().split(/\s*,\s*/)

/** The words of a shop for woven goods. What comes first in a list is picked most often. */
export const vocabulary = {
  looks:
    list(`Natural, Indigo, Undyed, Striped, Checked, Herringbone, Sage, Madder red, Charcoal, Ecru, Slate,
    Ochre, Rust, Ivory, Moss, Teal, Plum, Copper, Midnight, Saffron, Chalk, Walnut, Sky, Graphite`),
  materials: list(`linen, washed linen, organic cotton, wool, merino, hemp, half-linen, recycled cotton, silk,
    lambswool, ramie, cashmere, mohair, alpaca, nettle, bamboo`),
  items:
    list(`tablecloth, tea towel, pillowcase, duvet cover, bath towel, scarf, napkin set, apron, work shirt,
    table runner, placemat, fitted sheet, bedspread, blanket, cushion, curtain, hand towel, bath mat, bathrobe,
    overshirt, socks, beanie, canvas, twill, gauze, ticking, sewing thread, weaving yarn, darning yarn, warp cone,
    shears, shuttle, needle case, tape measure, hand loom, tote bag, oven mitt, dish cloth, rug, throw`),
  uses: list(`for the long table, for every day, for warm nights, for busy kitchens, that dries fast, cut straight,
    for cold mornings, made to be mended, with a true selvedge, for fine mending, that does not fray,
    for workshop and travel, with a loop to hang it, for glass and silver, that breathes, for bath and beach`),
  makings: list(`Woven slowly on shuttle looms, Finished at the edges so that nothing unravels,
    Made in small runs by a family mill, Dyed with plants and set with care, Spun and woven in one valley,
    Stone washed and air dried, Cut and sewn by hand, Brushed on both sides`),
  cares: list(`Wash at 40 degrees, Wash cold and dry flat, Machine washable, Softer with every wash,
    Dry clean only, Iron while damp, Do not tumble dry`),
  /** Names of patterns and mills: each of the first with each of the second, a thousand in all. */
  places:
    list(`ash, beck, birch, brook, burn, carr, cold, crow, dale, elm, fal, fen, glen, gran, hals, hart, haw,
    hazel, heath, hol, kel, kirk, lang, lin, lock, mar, mill, moor, nor, oak, pen, rad, red, ros, sand, sel, thorn,
    wal, wood, yar`).flatMap((place) =>
      list(`by, combe, cote, dale, den, don, field, ford, gate, ham, hill, holm, hurst, ley, mere, mouth, ness, ridge,
      shaw, stead, thwaite, ton, wick, worth, yard`).map((ending) => place + ending),
    ),
}
