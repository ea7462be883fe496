import Locale

/// The message catalogues as the console's localizer. Words of the toolkit are looked up by their English text.
package struct CatalogueLocalizer: Localizer {
    package let language: ConsoleCore.Language
    private let texts: Texts

    package init(_ texts: Texts) {
        self.texts = texts
        language = texts.language == .japanese ? .japanese : .english
    }

    package func pattern(_ source: String, context: String?) -> String? {
        if let context, let found = texts.find(context + "|" + source) { return found }
        return texts.find(source)
    }

    package func sentence(_ english: String) -> String { texts.sentence(english) }
}
